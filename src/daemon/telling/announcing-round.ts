import { isDeepStrictEqual } from 'node:util';
import { announceService, isUnjudged } from '../../deliver/notify/announce.ts';
import { announceCluster } from '../../deliver/notify/announce-nodes.ts';
import { describeError, HsdoError, hasCode } from '../../model/error.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Announcement, Events, KnownHead } from '../../publish/events.ts';
import { clusterScope, type Scope, scopeOf } from '../../publish/events-format.ts';
import type { Lease } from '../../publish/lease.ts';
import type { Term } from '../../publish/term.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import type { Clock } from '../../time/clock.ts';
import { withDeadline } from '../../time/deadline.ts';
import type { NodeWatch } from './announcing-nodes.ts';

/** What was announced in one term of this leader. */
export interface Standing {
  readonly epoch: number;
  readonly heads: ReadonlyMap<Scope, KnownHead>;
}

export interface AnnouncerParts {
  readonly events: Events;
  readonly lease: Pick<Lease, 'term'>;
  readonly nodeId: string;
  /** The services of this server, with their lists as of the last round. */
  readonly services: readonly { readonly name: string; readonly last: () => Snapshot | undefined }[];
  readonly nodes: NodeWatch;
  /** Those that are told of a scope. */
  readonly notifiers: readonly {
    readonly name: string;
    covers(scope: Scope): boolean;
    toldSeq(scope: Scope): number;
  }[];
  readonly clock: Clock;
  readonly log: Log;
  /** Something new was announced. */
  readonly onNews: () => void;
}

/** Compares what people were told with what is, and announces the difference. */
export interface Announcer {
  /** Once, if this process leads. Throws nothing but what is a bug. */
  once(signal: AbortSignal): Promise<void>;
  /** `undefined` while this process does not lead, or has not read yet what was announced before. */
  standing(): Standing | undefined;
  failure(): string | undefined;
}

const deadlineMs = 10_000;

interface Memory {
  readonly epoch: number;
  readonly heads: Map<Scope, KnownHead>;
  readonly unreadable: ReadonlySet<Scope>;
  /** Lists that were compared already. */
  readonly seen: Map<Scope, Snapshot>;
}

/** Reads nothing before the first round of a term. */
export function createAnnouncer(parts: AnnouncerParts): Announcer {
  const { events, lease, nodeId, services, nodes, notifiers, clock, log, onNews } = parts;
  const streak = createStreak(log, 'announcing what happened');
  let memory: Memory | undefined;
  let failure: string | undefined;

  async function recall(epoch: number, signal: AbortSignal): Promise<Memory> {
    const unreadable = new Set<Scope>();
    const heads = await events.heads(signal, (scope, error) => {
      unreadable.add(scope);
      log.warn({ scope, reason: describeError(error) }, 'what was announced cannot be read; nothing is told of it');
    });
    return { epoch, heads: new Map(heads), unreadable, seen: new Map() };
  }
  async function write(
    { heads }: Memory,
    scope: Scope,
    news: Pick<Announcement, 'events' | 'state'>,
    term: Term,
    signal: AbortSignal,
  ): Promise<void> {
    const known = heads.get(scope);
    const { service, cluster } = known?.head ?? {};
    const isSame = isDeepStrictEqual(news.state.service ?? news.state.cluster, service ?? cluster);
    if (known && news.events.length === 0 && isSame) return;
    const told = notifiers.filter((notifier) => notifier.covers(scope));
    const toldSeq = Math.min(Number.POSITIVE_INFINITY, ...told.map((notifier) => notifier.toldSeq(scope)));
    const announcement = { scope, known, ...news, notifiers: told.map(({ name }) => name), toldSeq, at: clock.now() };
    heads.set(scope, await events.announce(announcement, term, signal));
    for (const event of news.events) log.info({ scope, ...event }, 'event');
    if (news.events.length > 0) onNews();
  }
  async function pass(now: Memory, term: Term, signal: AbortSignal): Promise<void> {
    for (const { name, last } of services) {
      const [scope, snapshot] = [scopeOf(name), last()];
      if (snapshot === undefined || now.seen.get(scope) === snapshot || now.unreadable.has(scope)) continue;
      const before = now.heads.get(scope)?.head.service;
      if (before === undefined && isUnjudged(snapshot, clock.now())) continue;
      const { events: happened, state } = announceService(before, snapshot);
      await write(now, scope, { events: happened, state: { service: state } }, term, signal);
      now.seen.set(scope, snapshot);
    }
    if (now.unreadable.has(clusterScope)) return;
    const before = now.heads.get(clusterScope)?.head.cluster;
    const facts = { ...(await nodes.facts(before, signal)), epoch: term.epoch, holder: nodeId, now: clock.now() };
    const { events: happened, state } = announceCluster(before, facts);
    await write(now, clusterScope, { events: happened, state: { cluster: state } }, term, signal);
  }

  return {
    async once(signal) {
      nodes.look();
      const term = lease.term();
      if (!term) {
        memory = undefined;
        failure = undefined;
        return;
      }
      try {
        await withDeadline('The store, told what happened,', deadlineMs, signal, async (inner) => {
          if (memory?.epoch !== term.epoch) memory = await recall(term.epoch, inner);
          await pass(memory, term, inner);
        });
        failure = undefined;
        streak.worked();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof HsdoError)) throw error;
        // Whatever became of the write: what stands in the store decides what is announced next.
        memory = undefined;
        if (hasCode(error, 'conflict')) return;
        failure = describeError(error);
        streak.failed(failure);
      }
    },
    standing: () => memory,
    failure: () => failure,
  };
}
