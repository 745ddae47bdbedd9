import type { HsdoError } from '../../model/error.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { BackendReport, PassReport } from './reconcile.ts';
import type { ProcessInfo } from './show-info.ts';

/** Turns what a loop finds into log lines, for transitions only, and metrics. */
export interface Teller {
  /** `now` in wall-clock milliseconds. */
  tellReport(report: PassReport, now: number): void;
  tellTime(ms: number): void;
  tellFailure(error: HsdoError): void;
}

/** Names that came and went since the last call. */
function createDifference() {
  let before: ReadonlyMap<string, unknown> = new Map();
  return <T>(now: ReadonlyMap<string, T>) => {
    const came = [...now].filter(([key]) => !before.has(key));
    const gone = [...before.keys()].filter((key) => !now.has(key));
    before = now;
    return { came, gone };
  };
}

function createBackendTeller(log: Log, fields: Record<string, unknown>) {
  const [held, missing, findings] = [createDifference(), createDifference(), createDifference()];
  const reading = createStreak(log, 'reading a backend of HAProxy', fields);
  return (report: BackendReport) => {
    if (report.error) return reading.failed(report.error.message);
    reading.worked();
    const holds = held(new Map(report.held.map((one) => [`${one.server} ${one.state}`, one])));
    for (const [, { server, state, targetName: target }] of holds.came)
      log.warn({ ...fields, server, state, target }, 'an operator holds a server by hand, hsdo leaves it so');
    for (const key of holds.gone) {
      const [server, state] = key.split(' ');
      log.info({ ...fields, server, state }, 'a server is no longer held by hand');
    }
    const absent = missing(new Map(report.missing.map((index) => [String(index), index])));
    const indexes = absent.came.map(([, index]) => index);
    if (indexes.length > 0)
      log.warn({ ...fields, slots: indexes }, 'the list has more slots than the server-template of HAProxy');
    if (absent.gone.length > 0) log.info({ ...fields, slots: absent.gone.map(Number) }, 'slots are no longer missing');
    const found = findings(new Map(report.findings.map((one) => [`${one.server} ${one.reason}`, one])));
    for (const [, { server, reason }] of found.came) log.warn({ ...fields, server, reason }, 'a server cannot be set');
  };
}

export function createTeller(parts: {
  readonly service: string;
  readonly socket: string;
  readonly log: Log;
  readonly metrics: Metrics;
}): Teller {
  const { service, socket, log, metrics } = parts;
  const streak = createStreak(log, 'keeping HAProxy in step', { service, socket });
  const tellers = new Map<string, ReturnType<typeof createBackendTeller>>();
  let known: ProcessInfo | undefined;

  const tellProcess = (process: ProcessInfo) => {
    if (process.pid === known?.pid && process.startedAt === known.startedAt) return;
    const { pid, version } = process;
    log.info({ service, socket, pid, version }, known ? 'HAProxy runs as a new process' : 'HAProxy answers');
    known = process;
  };
  const tellBackend = (report: BackendReport) => {
    const { name: backend } = report;
    const labels = { socket, backend };
    const teller = tellers.get(backend) ?? createBackendTeller(log, { service, ...labels });
    tellers.set(backend, teller);
    teller(report);
    metrics.haproxyCommands.inc(labels, report.commands);
    if (report.error) return metrics.haproxyErrors.inc({ socket, kind: report.error.code });
    metrics.haproxyDrift.set(labels, report.drift.length);
    metrics.haproxyManual.set(labels, report.held.length);
    metrics.haproxyMissing.set(labels, report.missing.length);
    if (report.commands > 0)
      log.debug({ service, ...labels, commands: report.commands, drift: report.drift.length }, 'HAProxy was changed');
  };
  return {
    tellReport(report, now) {
      streak.worked();
      metrics.haproxyUp.set({ socket }, 1);
      if (report.process) tellProcess(report.process);
      for (const backend of report.backends) tellBackend(backend);
      if (report.backends.every(({ drift, error }) => drift.length === 0 && !error))
        metrics.haproxyLastSuccess.set({ socket }, now / 1000);
    },
    tellTime: (ms) => metrics.haproxySeconds.observe({ socket }, ms / 1000),
    tellFailure(error) {
      streak.failed(error.message);
      metrics.haproxyUp.set({ socket }, 0);
      metrics.haproxyErrors.inc({ socket, kind: error.code });
    },
  };
}
