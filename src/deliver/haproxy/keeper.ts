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
  /**
   * Saves what is new. Resolves when the death of this process cannot lose anything set before the call, or it could not
   * be saved, which is logged and not fatal.
   */
  saved(): Promise<void>;
  /** As `saved`, and resolves when the disk has it. */
  settled(): Promise<void>;
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

/** Makes a memory durable; `onWritten` is called as soon as the death of this process cannot lose it (`saveMemory`). */
export type Save = (memory: Memory, onWritten: () => void) => Promise<void>;

export function createKeeper(options: { readonly memory: Memory; readonly save: Save; readonly log: Log }): Keeper {
  const { memory, save } = options;
  const streak = createStreak(options.log, 'saving the memory of HAProxy', { service: memory.service });
  const nothing: Servers = new Map();
  let isDirty = false;
  let isQueued = false;
  let written = Promise.resolve();
  let onDisk = Promise.resolve();

  const write = async (onWritten: () => void) => {
    isQueued = false;
    isDirty = false;
    try {
      await save(memory, onWritten);
      streak.worked();
    } catch (error) {
      isDirty = true;
      streak.failed(describeError(error));
    }
    onWritten();
  };
  const queue = () => {
    if (!isDirty || isQueued) return;
    isQueued = true;
    written = new Promise((resolve) => {
      onDisk = onDisk.then(() => write(resolve));
    });
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
      queue();
      return written;
    },
    settled() {
      queue();
      return onDisk;
    },
  };
}
