import { describeError, HsdoError } from '../../model/error.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import type { Clock } from '../../time/clock.ts';
import type { HaproxyConfig } from './config.ts';
import type { Wanted } from './desired.ts';
import type { Keeper } from './keeper.ts';
import { writeStateFile } from './state-file.ts';

/** What each backend should look like now. */
export type WantedByBackend = ReadonlyMap<string, ReadonlyMap<number, Wanted>>;

export interface StateFileParts {
  readonly service: string;
  readonly socket: string;
  readonly stateFile: string | undefined;
  readonly config: HaproxyConfig;
  readonly keeper: Keeper;
  readonly clock: Clock;
  readonly log: Log;
}

/** How old the state file may get before it is looked at again, in case somebody removed or changed it. */
const stateFileCheckMs = 30_000;

/** Keeps the state file in step: written when something changed, looked at again now and then. */
export function createStateFileWriter(parts: StateFileParts) {
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
    leave: (wanted: WantedByBackend) => write(wanted, false),
  };
}
