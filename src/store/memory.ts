import { HsdoError } from '../model/error.ts';
import { assertCommit, assertKey, conflictAt } from './limits.ts';
import type { Change, Entry, Store, Version } from './store.ts';

/** One store's content, shared by every handle opened on it, as a file or a table would be. */
export interface MemoryEngine {
  readonly entries: Map<string, Entry>;
  readonly waiters: Set<(keys: readonly string[]) => void>;
  /** Gives a version that no entry ever had. */
  nextVersion(): Version;
}

export function createMemoryEngine(): MemoryEngine {
  let last = 0;
  return {
    entries: new Map(),
    waiters: new Set(),
    nextVersion: () => String(++last),
  };
}

/**
 * A full store that lives as long as its process, for tests and for what runs in one process by nature. Answers
 * come a turn of the event loop later, as those of a real engine do.
 */
export function openMemoryStore(engine: MemoryEngine): Store {
  let isClosed = false;
  const reach = async (signal: AbortSignal) => {
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    if (isClosed) throw new HsdoError('unavailable', 'Cannot use the store: it is closed');
  };
  return {
    async get(key, signal) {
      assertKey(key);
      await reach(signal);
      return engine.entries.get(key);
    },
    async list(prefix, signal) {
      await reach(signal);
      return [...engine.entries.values()]
        .filter((entry) => entry.key.startsWith(prefix))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    async commit(changes, signal) {
      assertCommit(changes);
      await reach(signal);
      return apply(engine, changes);
    },
    changed: (prefix, signal) => nextChange(engine, prefix, signal),
    async close() {
      isClosed = true;
    },
  };
}

function apply(engine: MemoryEngine, changes: readonly Change[]): ReadonlyMap<string, Version> {
  for (const { key, expect } of changes) {
    if (expect !== undefined && (engine.entries.get(key)?.version ?? null) !== expect) throw conflictAt(key);
  }
  const version = engine.nextVersion();
  const versions = new Map<string, Version>();
  for (const change of changes) {
    if (change.op === 'delete') engine.entries.delete(change.key);
    if (change.op !== 'put') continue;
    engine.entries.set(change.key, { key: change.key, value: change.value, version });
    versions.set(change.key, version);
  }
  const touched = changes.filter((change) => change.op !== 'check').map((change) => change.key);
  for (const wake of engine.waiters) wake(touched);
  return versions;
}

function nextChange(engine: MemoryEngine, prefix: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const settle = (end: () => void) => {
      engine.waiters.delete(wake);
      signal.removeEventListener('abort', onAbort);
      end();
    };
    const onAbort = () => settle(() => reject(signal.reason as Error));
    const wake = (keys: readonly string[]) => {
      if (keys.some((key) => key.startsWith(prefix))) settle(resolve);
    };
    engine.waiters.add(wake);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
