import type { Happened } from '../deliver/notify/announce.ts';
import { type Batch, idRootOf } from '../deliver/notify/compose.ts';
import type { ClusterEvent } from '../model/event.ts';
import type { Change, Store, Version } from '../store/store.ts';
import {
  batchKey,
  clusterScope,
  type EventHead,
  headKey,
  headRoot,
  parseBatch,
  parseHead,
  type Scope,
  scopeOf,
  serviceOf,
  toldKey,
} from './events-format.ts';
import { fenceKey } from './record-lease.ts';
import { encodeRecord } from './snapshot-format.ts';
import { assertHeld, type Term } from './term.ts';

/** A head as it stands in the store. */
export interface KnownHead {
  readonly head: EventHead;
  /** `null`: not written yet. */
  readonly version: Version | null;
}

/** One announcement, to be written in one commit. */
export interface Announcement {
  readonly scope: Scope;
  readonly known: KnownHead | undefined;
  /** None: what was announced changes without a word, such as a target that is gone for good. */
  readonly events: readonly Happened[];
  readonly state: Pick<EventHead, 'service' | 'cluster'>;
  /** Notifiers that have to be told from the very first batch on. */
  readonly notifiers: readonly string[];
  /** Everybody was told up to this batch; older ones may go. */
  readonly toldSeq: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** What happened, in the plain store. */
export interface Events {
  /** The last events of one service, or of all and the cluster, the newest first. */
  list(
    wanted: { readonly service?: string | undefined; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly ClusterEvent[]>;
  /** All heads; one that cannot be read is given to `onFault` and left out. */
  heads(signal: AbortSignal, onFault: (scope: Scope, error: unknown) => void): Promise<ReadonlyMap<Scope, KnownHead>>;
  /** One announcement by its number; `undefined` once it is not kept any more. */
  batch(scope: Scope, seq: number, signal: AbortSignal): Promise<Batch | undefined>;
  /** Announces, as the leader of that term. Rejects with `conflict` when the term is over or the head is another one. */
  announce(announcement: Announcement, term: Term, signal: AbortSignal): Promise<KnownHead>;
}

/** Batches that are kept of each scope, for those who look. */
export const keptBatches = 500;
/** Batches and days that are kept for a notifier that does not get through. */
export const mostBatches = 5000;
export const longestMs = 7 * 86_400_000;
/** Batches that one announcement removes: more than it adds. */
const removedAtOnce = 20;
/** Batches read at once. */
const together = 8;

export function createEvents(store: Store): Events {
  const batch = async (scope: Scope, seq: number, signal: AbortSignal) => {
    const key = batchKey(scope, seq);
    const entry = await store.get(key, signal);
    return entry && parseBatch(key, entry.value);
  };
  const heads: Events['heads'] = async (signal, onFault) => {
    const found = new Map<Scope, KnownHead>();
    for (const { key, value, version } of await store.list(headRoot, signal)) {
      const scope = key.slice(headRoot.length);
      try {
        found.set(scope, { head: parseHead(key, value), version });
      } catch (error) {
        onFault(scope, error);
      }
    }
    return found;
  };
  /** Up to which batch one may be removed. */
  async function removableSeq({ scope, toldSeq, at }: Announcement, head: EventHead, signal: AbortSignal) {
    const surplus = head.seq + 1 - keptBatches;
    if (surplus < head.first) return 0;
    const tooMany = head.seq + 1 - mostBatches;
    if (toldSeq >= head.first || tooMany >= head.first) return Math.min(surplus, Math.max(toldSeq, tooMany));
    const oldest = await batch(scope, head.first, signal);
    return oldest === undefined || oldest.at < at - longestMs ? head.first : 0;
  }
  return {
    batch,
    heads,
    async list({ service, limit }, signal) {
      if (service !== undefined) {
        const key = headKey(scopeOf(service));
        const entry = await store.get(key, signal);
        const head = entry && parseHead(key, entry.value);
        return head ? newest([[scopeOf(service), head]], batch, limit, signal) : [];
      }
      const all = await heads(signal, () => {});
      return newest(
        [...all].map(([scope, { head }]) => [scope, head]),
        batch,
        limit,
        signal,
      );
    },
    async announce(announcement, term, signal) {
      const { scope, known, events, state, at, notifiers } = announcement;
      const before = known?.head ?? { seq: 0, first: 1, at };
      const seq = before.seq + (events.length === 0 ? 0 : 1);
      const removable = events.length === 0 ? 0 : await removableSeq(announcement, before, signal);
      const last = Math.min(removable, before.first + removedAtOnce - 1);
      const first = Math.max(before.first, last + 1);
      const head: EventHead = { seq, first, at: events.length === 0 ? before.at : at, ...state };
      const changes: Change[] = [
        { op: 'check', key: fenceKey, expect: term.fence },
        { op: 'put', key: headKey(scope), value: encodeRecord(head), expect: known?.version ?? null },
      ];
      if (events.length > 0) {
        const value = encodeRecord({ seq, at, events: named(scope, seq, at, events) });
        changes.push({ op: 'put', key: batchKey(scope, seq), value });
      }
      for (let old = before.first; old < first; old += 1) changes.push({ op: 'delete', key: batchKey(scope, old) });
      if (!known) {
        const cursor = encodeRecord({ seq: 0 });
        for (const notifier of notifiers) changes.push({ op: 'put', key: toldKey(notifier, scope), value: cursor });
      }
      assertHeld(`announce what happened to "${scope}"`, term);
      const written = await store.commit(changes, signal);
      return { head, version: written.get(headKey(scope)) ?? null };
    },
  };
}

/** Events with their names and their instant. */
function named(scope: Scope, seq: number, at: number, events: readonly Happened[]): readonly ClusterEvent[] {
  const root = idRootOf(scope === clusterScope ? undefined : serviceOf(scope));
  return events.map((event, n) => ({ id: `${root}-${seq}-${n + 1}`, at, ...event }));
}

/** Goes back from the heads, always where the newest batch is, until there is enough. */
async function newest(
  heads: readonly (readonly [Scope, EventHead])[],
  batchOf: Events['batch'],
  limit: number,
  signal: AbortSignal,
): Promise<readonly ClusterEvent[]> {
  const trails = heads.map(([scope, head]) => ({
    scope,
    next: head.seq,
    first: head.first,
    at: head.at,
    read: [] as Batch[],
  }));
  const found: ClusterEvent[] = [];
  while (found.length < limit) {
    const open = trails.filter(({ next, first, read }) => read.length > 0 || next >= first);
    const trail = open.reduce<(typeof trails)[number] | undefined>((a, b) => (a && a.at >= b.at ? a : b), undefined);
    if (trail === undefined) break;
    const [batch] = trail.read.splice(0, 1);
    if (batch !== undefined) {
      found.push(...[...batch.events].reverse());
      trail.at = trail.read[0]?.at ?? trail.at;
      continue;
    }
    const seqs = Array.from({ length: Math.min(together, trail.next - trail.first + 1) }, (_, n) => trail.next - n);
    const read = await Promise.all(seqs.map((seq) => batchOf(trail.scope, seq, signal)));
    trail.read = read.flatMap((one) => one ?? []);
    trail.next -= seqs.length;
    trail.at = trail.read[0]?.at ?? trail.at;
  }
  return found.slice(0, limit);
}
