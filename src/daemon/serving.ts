import type { View } from '../api/view.ts';
import type { Homes } from '../publish/homes.ts';
import type { Lease } from '../publish/lease.ts';
import type { Requests } from '../publish/requests.ts';
import { withDeadline } from '../time/deadline.ts';
import { watchForHints } from '../time/hints.ts';
import { createNudge } from '../time/nudge.ts';
import { type Agents, createAgents } from './agents/agents.ts';
import { votersOf } from './agents/agents-electorate.ts';
import { createLeading } from './leading.ts';
import { runTogether } from './lifecycle.ts';
import type { Opinions } from './observing/opinions.ts';
import { createWatching, isWatched, type Watching } from './observing/watching.ts';
import type { ProcessParts } from './process.ts';
import type { ServedService } from './served-service.ts';
import { createServerView } from './server-view.ts';
import { createServiceSources, type FormerReadings } from './service-sources.ts';
import type { StoreHealth } from './store-health.ts';
import { createServiceSwitching } from './switching/switching-service.ts';
import { createServerAnnouncing } from './telling/server-announcing.ts';

type Loop = (signal: AbortSignal) => Promise<void>;

/** What a server does by one configuration, on a store and a lease that outlive it. */
export interface ServingParts extends ProcessParts {
  readonly homes: Homes;
  readonly requests: Requests;
  readonly lease: Lease;
  readonly health: StoreHealth;
  readonly opinions: Opinions;
  /** What the sources of each service said before a reload. */
  readonly former: ReadonlyMap<string, FormerReadings>;
}

export interface Serving {
  readonly view: View;
  run(signal: AbortSignal): Promise<void>;
  /** The lease was won, lost or renewed. */
  leaseChanged(): void;
  /** Resolves once nothing is on its way to people. */
  idle(): Promise<unknown>;
  /** What the sources of each service said last. */
  readings(): ReadonlyMap<string, FormerReadings>;
}

const snapshotDeadlineMs = 5000;

/** All services of a configuration. Touches nothing outside before `run`. */
export function createServing(parts: ServingParts): Serving {
  const { homes, requests, lease } = parts;
  const found = findServices(parts, (name) => {
    watching?.observing.targetsChanged(name);
    agents?.targetsChanged(name);
  });
  const nudgeAll = () => {
    for (const { nudge } of found) nudge.nudge();
  };
  const watched = found.flatMap(({ service, sources }) =>
    isWatched(service) ? [{ service, targets: () => sources.known().targets }] : [],
  );
  const watching = homes.store ? createWatching(parts, watched, homes.store, nudgeAll) : undefined;
  const served = found.map((one) => serveService(parts, one, watching));
  const announcing = createServerAnnouncing(parts, homes, lease, served, () => watching?.electorate.observers());
  const agents = agentsOf(parts, served, watching);
  const loops: Loop[] = [
    ...served.flatMap(({ sources, leading, switching }) => [
      sources.run,
      leading.run,
      ...(switching ? [switching.run] : []),
    ]),
    ...announcing.loops,
    ...hintLoops(requests, nudgeAll, parts),
    ...(watching ? [watching.run] : []),
    ...(agents ? [agents.run] : []),
  ];
  const view = announcing.shownIn(createServerView({ ...parts, served, watching, agents, nudgeAll }));
  return {
    view,
    run: (signal) => runTogether(loops, signal),
    leaseChanged() {
      nudgeAll();
      for (const { switching } of served) switching?.leaseChanged();
    },
    idle: announcing.idle,
    readings: () => new Map(served.map(({ name, sources }) => [name, sources.former()])),
  };
}

type FoundService = Pick<ServedService, 'service' | 'sources'> & { readonly nudge: ReturnType<typeof createNudge> };

/** Every service with sources; news of those nudges its rounds. */
function findServices(parts: ServingParts, onNews: (service: string) => void): readonly FoundService[] {
  const services = parts.config.services.filter(({ source }) => source.length > 0);
  return services.map((service) => {
    const nudge = createNudge();
    const tell = () => {
      nudge.nudge();
      onNews(service.name);
    };
    return { service, nudge, sources: createServiceSources(parts, service, tell, parts.former.get(service.name)) };
  });
}

function serveService(
  parts: ServingParts,
  { service, nudge, sources }: FoundService,
  watching: Watching | undefined,
): ServedService {
  const { config, homes, requests, lease } = parts;
  const switching = createServiceSwitching(parts, service, lease);
  const leading = createLeading({
    ...parts,
    ...homes,
    service,
    known: sources.known,
    observers: () => votersOf(service, watching?.electorate.observers()),
    firstWaitMs: config.checks.firstWaitSeconds * 1000,
    lease,
    requests,
    intervalMs: config.intervalSeconds * 1000,
    nudge,
    observedActive: switching?.observed,
    decided: switching?.decided,
  });
  return { name: service.name, service, sources, leading, switching };
}

/** `undefined` where votes have no place, or agents are not listened for. */
function agentsOf(
  parts: ServingParts,
  served: readonly ServedService[],
  watching: Watching | undefined,
): Agents | undefined {
  const { snapshots, store } = parts.homes;
  if (watching === undefined || store === undefined) return undefined;
  const never = new AbortController().signal;
  const read = (name: string) =>
    withDeadline('The store', snapshotDeadlineMs, never, (signal) => snapshots.read(name, signal));
  return createAgents({
    ...parts,
    services: served.map(({ service, sources }) => ({ service, known: sources.known })),
    store,
    observers: watching.electorate.observers,
    snapshotOf: async (name) => served.find((one) => one.name === name)?.leading.last()?.snapshot ?? (await read(name)),
  });
}

/** An operator's request is honoured at once, not at the next interval. */
function hintLoops(requests: Requests, nudge: () => void, { clock }: ProcessParts): Loop[] {
  const { changed } = requests;
  if (!changed) return [];
  return [(signal) => watchForHints((inner) => changed(inner), nudge, clock, signal)];
}
