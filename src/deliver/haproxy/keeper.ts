import { describeError } from '../../model/error.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import type { Remembered } from './decide.ts';
import type { Memory } from './memory.ts';

type Servers = ReadonlyMap<number, Remembered>;

/** The memory of one service in use: knows what is in it, and saves it when it changes. */
export interface Keeper {
  snapshot(): Snapshot | undefined;
  servers(socket: string, backend: string): Servers;
  setSnapshot(snapshot: Snapshot): void;
  /** Replaces what is known of a backend; says whether that is anything new. */
  setServers(socket: string, backend: string, servers: Servers): boolean;
  /** Resolves when everything set before the call is on disk, or could not be saved, which is logged and not fatal. */
  saved(): Promise<void>;
}

function isSame(one: Servers, other: Servers): boolean {
  if (one.size !== other.size) return false;
  for (const [index, a] of one) {
    const b = other.get(index);
    if (a === b) continue;
    if (b === undefined || a.targetId !== b.targetId || a.address !== b.address || a.port !== b.port) return false;
    if (a.admin !== b.admin || a.isUp !== b.isUp || a.manual !== b.manual) return false;
    if (a.initialWeight !== b.initialWeight || a.hasAgent !== b.hasAgent) return false;
  }
  return true;
}

export function createKeeper(options: {
  readonly memory: Memory;
  readonly save: (memory: Memory) => Promise<void>;
  readonly log: Log;
}): Keeper {
  const { memory, save } = options;
  const streak = createStreak(options.log, 'saving the memory of HAProxy', { service: memory.service });
  const nothing: Servers = new Map();
  let isDirty = false;
  let last = Promise.resolve();
  let isQueued = false;

  const write = async () => {
    isQueued = false;
    if (!isDirty) return;
    isDirty = false;
    try {
      await save(memory);
      streak.worked();
    } catch (error) {
      isDirty = true;
      streak.failed(describeError(error));
    }
  };
  return {
    snapshot: () => memory.snapshot,
    servers: (socket, backend) => memory.sockets.get(socket)?.get(backend) ?? nothing,
    setSnapshot(snapshot) {
      memory.snapshot = snapshot;
      isDirty = true;
    },
    setServers(socket, backend, servers) {
      const backends = memory.sockets.get(socket) ?? new Map<string, Servers>();
      if (isSame(backends.get(backend) ?? nothing, servers)) return false;
      backends.set(backend, servers);
      memory.sockets.set(socket, backends);
      isDirty = true;
      return true;
    },
    saved() {
      if (!isQueued) {
        isQueued = true;
        last = last.then(write);
      }
      return last;
    },
  };
}
