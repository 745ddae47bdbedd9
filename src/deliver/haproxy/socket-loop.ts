import { describeError, HsdoError } from '../../model/error.ts';
import type { Log } from '../../telemetry/log.ts';
import { createStreak } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Clock } from '../../time/clock.ts';
import { every } from '../../time/every.ts';
import { createNudge } from '../../time/nudge.ts';
import type { HaproxyConfig } from './config.ts';
import type { Wanted } from './desired.ts';
import type { Keeper } from './keeper.ts';
import type { ProcessInfo } from './observe.ts';
import { type BackendReport, type PassReport, reconcile, type Seen } from './reconcile.ts';
import { createRefusals } from './refusals.ts';
import { writeStateFile } from './state-file.ts';
import { createTeller } from './teller.ts';

/** What one backend should look like now; absent before the first snapshot. */
export type WantedByBackend = ReadonlyMap<string, ReadonlyMap<number, Wanted>>;

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

export interface SocketLoopParts {
  readonly service: string;
  readonly socket: string;
  readonly stateFile: string | undefined;
  readonly config: HaproxyConfig;
  readonly keeper: Keeper;
  readonly wanted: () => WantedByBackend | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How old the state file may get before it is looked at again, in case somebody removed or changed it. */
const stateFileCheckMs = 30_000;

/** Keeps the state file in step: written when something changed, looked at again now and then. */
function createStateFileWriter(parts: SocketLoopParts) {
  const { stateFile: path, socket, keeper, config, clock } = parts;
  const streak = createStreak(parts.log, 'writing the server-state file', { service: parts.service, path });
  let writtenFor: WantedByBackend | undefined;
  let dueAt = 0;
  const write = async (wanted: WantedByBackend, mayPark: boolean) => {
    if (path === undefined) return;
    const backends = config.backends.map(({ name, baseName }) => {
      return { name, baseName, wanted: wanted.get(name) ?? new Map(), remembered: keeper.servers(socket, name) };
    });
    try {
      await writeStateFile(path, backends, { mayPark });
      streak.worked();
      writtenFor = wanted;
      dueAt = clock.monotonic() + stateFileCheckMs;
    } catch (error) {
      if (!(error instanceof HsdoError)) throw error;
      writtenFor = undefined;
      streak.failed(describeError(error));
    }
  };
  return {
    async keep(wanted: WantedByBackend, isChanged: boolean) {
      if (isChanged || wanted !== writtenFor || clock.monotonic() >= dueAt) await write(wanted, true);
    },
    /** Nobody will be there to give parked targets their weight, so from now on none is. */
    async leave() {
      const wanted = parts.wanted();
      if (wanted !== undefined) await write(wanted, false);
    },
  };
}

/** The loop around one socket. Passes never overlap. */
export function createSocketLoop(parts: SocketLoopParts): SocketLoop {
  const { socket, config, keeper, clock } = parts;
  const teller = createTeller(parts);
  const refusals = createRefusals(clock);
  const nudge = createNudge();
  const seen = new Map<string, Seen>();
  const stateFile = createStateFileWriter(parts);
  let status: SocketStatus = { socket, backends: [] };

  const pass = (wanted: WantedByBackend, signal: AbortSignal): Promise<PassReport> =>
    reconcile(
      {
        socket,
        timeoutMs: config.timeoutMs,
        mayGrow: config.grow,
        backends: config.backends.map(({ name, baseName }) => {
          return { name, baseName, wanted: wanted.get(name) ?? new Map(), remembered: keeper.servers(socket, name) };
        }),
        wantsInfo: status.isUp !== true,
        refusals,
        seen,
        save: (backend, remembered) => {
          keeper.setServers(socket, backend, remembered);
          return keeper.saved();
        },
      },
      signal,
    );

  const succeed = async (wanted: WantedByBackend, report: PassReport) => {
    let isChanged = false;
    for (const { name, remembered, error } of report.backends)
      if (error === undefined && keeper.setServers(socket, name, remembered)) isChanged = true;
    const process = report.process ?? status.process;
    const isInOrder = report.backends.every(({ drift, error }) => drift.length === 0 && error === undefined);
    const lastSuccessAt = isInOrder ? clock.now() : status.lastSuccessAt;
    status = {
      socket,
      isUp: true,
      ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
      ...(process === undefined ? {} : { process }),
      backends: report.backends,
    };
    teller.tellReport(report, clock.now());
    if (isChanged) await keeper.saved();
    await stateFile.keep(wanted, isChanged);
  };

  const look = async (signal: AbortSignal) => {
    const wanted = parts.wanted();
    if (wanted === undefined) return;
    const startedAt = clock.monotonic();
    try {
      const report = await pass(wanted, signal);
      teller.tellTime(clock.monotonic() - startedAt);
      await succeed(wanted, report);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HsdoError)) throw error;
      const { lastSuccessAt, process, backends } = status;
      status = {
        socket,
        isUp: false,
        lastError: error.message,
        ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
        ...(process === undefined ? {} : { process }),
        backends,
      };
      teller.tellFailure(error);
      await stateFile.keep(wanted, false);
    }
  };

  return {
    async run(signal) {
      await every({ intervalMs: config.pollMs, clock, nudge }, () => look(signal), signal);
      await stateFile.leave();
    },
    nudge: () => nudge.nudge(),
    status: () => status,
  };
}
