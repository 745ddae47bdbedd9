import { HsdoError } from '../../model/error.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { every } from '../../time/every.ts';
import { createNudge } from '../../time/nudge.ts';
import type { Remembered } from './decide.ts';
import { type BackendReport, type PassReport, reconcile, type Seen } from './reconcile.ts';
import { createRefusals } from './refusals.ts';
import type { ProcessInfo } from './show-info.ts';
import { createStateFileWriter, type StateFileParts, type WantedByBackend } from './state-file-writer.ts';
import { createTeller } from './teller.ts';

/** What is known about one HAProxy. */
export interface SocketStatus {
  readonly socket: string;
  /** Whether the last look reached it; `undefined` before the first. */
  readonly isUp?: boolean;
  /** When it was last found or brought in order, wall-clock milliseconds. */
  readonly lastSuccessAt?: number;
  readonly lastError?: string;
  readonly process?: ProcessInfo;
  readonly backends: readonly BackendReport[];
}

export interface SocketLoop {
  /** Looks at once and then at every interval, for as long as the signal lets it; HAProxy may be away for ever. */
  run(signal: AbortSignal): Promise<void>;
  /** Look now: there is a new snapshot. */
  nudge(): void;
  status(): SocketStatus;
}

export interface SocketLoopParts extends StateFileParts {
  /** Absent before the first snapshot: then HAProxy is left alone. */
  readonly wanted: () => WantedByBackend | undefined;
  readonly metrics: Metrics;
}

/** The inside of a status, while it is built. */
type Draft = { -readonly [Key in keyof SocketStatus]: SocketStatus[Key] };

function statusAfter(before: SocketStatus, report: PassReport, now: number): SocketStatus {
  const { lastError: _, ...rest } = before;
  const after: Draft = { ...rest, isUp: true, backends: report.backends };
  if (report.process) after.process = report.process;
  if (report.backends.every(({ drift, error }) => drift.length === 0 && error === undefined)) after.lastSuccessAt = now;
  return after;
}

/** One look: asks HAProxy and brings it in order, by what the keeper knows. */
function createPass(parts: SocketLoopParts) {
  const { socket, config, keeper } = parts;
  const { timeoutMs, grow: mayGrow } = config;
  const refusals = createRefusals(parts.clock);
  const seen = new Map<string, Seen>();
  const save = (backend: string, remembered: ReadonlyMap<number, Remembered>) => {
    keeper.setServers(socket, backend, remembered);
    return keeper.saved();
  };
  return (wanted: WantedByBackend, wantsInfo: boolean, signal: AbortSignal): Promise<PassReport> => {
    const backends = config.backends.map(({ name, baseName }) => {
      return { name, baseName, wanted: wanted.get(name) ?? new Map(), remembered: keeper.servers(socket, name) };
    });
    return reconcile({ socket, timeoutMs, mayGrow, backends, wantsInfo, refusals, seen, save }, signal);
  };
}

/** The loop around one socket. Passes never overlap. */
export function createSocketLoop(parts: SocketLoopParts): SocketLoop {
  const { socket, config, keeper, clock } = parts;
  const teller = createTeller(parts);
  const nudge = createNudge();
  const stateFile = createStateFileWriter(parts);
  const pass = createPass(parts);
  let status: SocketStatus = { socket, backends: [] };

  const succeed = async (report: PassReport): Promise<boolean> => {
    let isNew = false;
    for (const { name, remembered, error } of report.backends)
      if (error === undefined && keeper.setServers(socket, name, remembered)) isNew = true;
    status = statusAfter(status, report, clock.now());
    teller.tellReport(report, clock.now());
    return isNew;
  };
  const look = async (wanted: WantedByBackend, signal: AbortSignal) => {
    const startedAt = clock.monotonic();
    let isNew = false;
    try {
      const report = await pass(wanted, status.isUp !== true, signal);
      teller.tellTime(clock.monotonic() - startedAt);
      isNew = await succeed(report);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HsdoError)) throw error;
      status = { ...status, isUp: false, lastError: error.message };
      teller.tellFailure(error);
    }
    void keeper.saved();
    await stateFile.keep(wanted, isNew);
  };
  return {
    async run(signal) {
      const round = async () => {
        const wanted = parts.wanted();
        if (wanted !== undefined) await look(wanted, signal);
      };
      await every({ name: `HAProxy at ${socket}`, intervalMs: config.pollMs, clock, nudge }, round, signal);
      const wanted = parts.wanted();
      if (wanted !== undefined) await stateFile.leave(wanted);
    },
    nudge: () => nudge.nudge(),
    status: () => status,
  };
}
