import type { NotifierConfig } from '../../deliver/notify/notifiers.ts';
import { createNotifier } from '../../deliver/notify/notifiers.ts';
import type { Problem } from '../../model/problem.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { RegisteredObserver } from '../../publish/ballot-reader.ts';
import { createEvents } from '../../publish/events.ts';
import { createKeep, createTold } from '../../publish/events-told.ts';
import type { Lease } from '../../publish/lease.ts';
import type { Store } from '../../store/store.ts';
import { every } from '../../time/every.ts';
import { runTogether } from '../lifecycle.ts';
import type { ProcessParts } from '../process.ts';
import { createNodeWatch } from './announcing-nodes.ts';
import { type Announcer, createAnnouncer } from './announcing-round.ts';
import { createTeller, type Teller } from './teller.ts';

export interface AnnouncingParts extends ProcessParts {
  readonly store: Store;
  readonly lease: Pick<Lease, 'term'>;
  readonly services: readonly { readonly name: string; readonly last: () => Snapshot | undefined }[];
  /** `undefined`: nobody votes here, or nothing was read yet. */
  readonly observers: () => readonly RegisteredObserver[] | undefined;
}

/** What happened, kept in the store by the leader and told by its notifiers. */
export interface Announcing {
  run(signal: AbortSignal): Promise<void>;
  /** Notifiers that do not get through, and a store that takes no events. */
  problems(): readonly Problem[];
  /**
   * Resolves once no notice is on its way: until then a process that stops keeps the lease, so that what goes out is recorded
   * before another one leads. No later than a few seconds.
   */
  idle(): Promise<unknown>;
}

const longestPollMs = 500;

/** Events are kept with and without notifiers: `hsdo events` shows them. */
export function createAnnouncing(parts: AnnouncingParts): Announcing {
  const { config, clock, store, observers } = parts;
  const { nodeId, nodeTtlSeconds } = config.cluster;
  const events = createEvents(store);
  const standing = (): ReturnType<Announcer['standing']> => announcer.standing();
  const tellers = config.notify.map((one) => tellerOf(one, { ...parts, events, standing }));
  // For so long a silent agent counts as heard by who has just begun to listen.
  const freshSeconds = config.services.map(({ agents }) => agents?.freshSeconds ?? 0);
  const ttlMs = Math.max(nodeTtlSeconds, ...freshSeconds) * 1000;
  const announcer = createAnnouncer({
    ...parts,
    events,
    nodeId,
    nodes: createNodeWatch({ store, observers, ttlMs, clock }),
    notifiers: tellers,
    onNews: () => {
      for (const teller of tellers) teller.nudge();
    },
  });
  const intervalMs = Math.min(longestPollMs, config.intervalSeconds * 1000);
  const announce = (signal: AbortSignal) =>
    every({ name: 'events', intervalMs, clock }, () => announcer.once(signal), signal);
  return {
    run: (signal) => runTogether([announce, ...tellers.map(({ run }) => run)], signal),
    problems() {
      const failure = announcer.failure();
      return [
        ...(failure === undefined ? [] : [{ part: 'events', message: failure }]),
        ...tellers.flatMap((teller) => teller.problems()),
      ];
    },
    idle: () => Promise.all(tellers.map((teller) => teller.idle())),
  };
}

function tellerOf(
  config: NotifierConfig,
  parts: AnnouncingParts & Pick<Parameters<typeof createTeller>[0], 'events' | 'standing'>,
): Teller {
  const { name, kinds, services, groupSeconds, maxPerHour, remindMinutes, maxReminders, timeoutSeconds } = config;
  const { store, lease, clock, log } = parts;
  const keep = createKeep(store, `${config.kind}/${name}/`, lease.term);
  return createTeller({
    ...parts,
    name,
    cluster: parts.config.cluster.name,
    notifier: createNotifier(config, { name, keep, clock, log }),
    manner: {
      groupMs: groupSeconds * 1000,
      perHour: maxPerHour,
      remindMs: remindMinutes * 60_000,
      maxReminders,
    },
    filter: { kinds },
    services,
    timeoutMs: timeoutSeconds * 1000,
    told: createTold(store, name),
  });
}
