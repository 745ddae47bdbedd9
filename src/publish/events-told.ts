import type { Keep } from '../deliver/notify/notifier.ts';
import type { Cursor } from '../deliver/notify/pace.ts';
import { HsdoError } from '../model/error.ts';
import { type Change, maxCommitChanges, type Store } from '../store/store.ts';
import { paceKey, parseCursor, parsePace, type Scope, toldKey, toldRoot } from './events-format.ts';
import { fenceKey } from './record-lease.ts';
import { encodeRecord } from './snapshot-format.ts';
import { assertHeld, type Term } from './term.ts';

/** How far one notifier is. Every write demands the fence of the term: only the leader tells anybody. */
export interface Told {
  /** Where it stands with every scope, and when its notices of the last hour went out, wall-clock milliseconds. */
  load(signal: AbortSignal): Promise<{
    readonly cursors: ReadonlyMap<Scope, Cursor>;
    readonly sentAt: readonly number[];
  }>;
  /** One cursor; `undefined` where there is none. */
  cursor(scope: Scope, signal: AbortSignal): Promise<Cursor | undefined>;
  /** Writes cursors, and `sentAt` where it is given, all of them or none up to 62 cursors. */
  save(
    cursors: ReadonlyMap<Scope, Cursor>,
    sentAt: readonly number[] | undefined,
    term: Term,
    signal: AbortSignal,
  ): Promise<void>;
}

export function createTold(store: Store, notifier: string): Told {
  return {
    async load(signal) {
      const root = toldRoot(notifier);
      const entries = await store.list(root, signal);
      const pace = await store.get(paceKey(notifier), signal);
      return {
        cursors: new Map(entries.map(({ key, value }) => [key.slice(root.length), parseCursor(key, value)])),
        sentAt: pace ? parsePace(pace.key, pace.value).sentAt : [],
      };
    },
    async cursor(scope, signal) {
      const entry = await store.get(toldKey(notifier, scope), signal);
      return entry && parseCursor(entry.key, entry.value);
    },
    async save(cursors, sentAt, term, signal) {
      assertHeld(`record what "${notifier}" was told`, term);
      const fence: Change = { op: 'check', key: fenceKey, expect: term.fence };
      const changes = [...cursors].map(
        ([scope, cursor]): Change => ({ op: 'put', key: toldKey(notifier, scope), value: encodeRecord(cursor) }),
      );
      if (sentAt) changes.push({ op: 'put', key: paceKey(notifier), value: encodeRecord({ sentAt: [...sentAt] }) });
      for (let at = 0; at < changes.length; at += maxCommitChanges - 1)
        await store.commit([fence, ...changes.slice(at, at + maxCommitChanges - 1)], signal);
    },
  };
}

/**
 * A notifier's own place in the store, below `prefix`.
 *
 * @param term - The right to write at this moment; without one a write is refused as `conflict`.
 */
export function createKeep(store: Store, prefix: string, term: () => Term | undefined): Keep {
  const keyOf = (name: string) => prefix + encodeURIComponent(name);
  const fence = (): Change => {
    const held = term();
    if (held) {
      assertHeld(`write below "${prefix}"`, held);
      return { op: 'check', key: fenceKey, expect: held.fence };
    }
    throw new HsdoError('conflict', `Cannot write below "${prefix}": this process does not lead`);
  };
  return {
    async list(signal) {
      const entries = await store.list(prefix, signal);
      return entries.map(({ key, value }) => ({ name: decodeURIComponent(key.slice(prefix.length)), value }));
    },
    async put(name, value, signal) {
      await store.commit([fence(), { op: 'put', key: keyOf(name), value }], signal);
    },
    async delete(name, signal) {
      await store.commit([fence(), { op: 'delete', key: keyOf(name) }], signal);
    },
  };
}
