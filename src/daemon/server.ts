import type { View } from '../api/view.ts';
import type { Homes } from '../publish/homes.ts';
import { openHomes } from '../publish/homes.ts';
import { createLease, type Lease, type LeaseView } from '../publish/lease.ts';
import { createRequests, type Requests, refuseRequests } from '../publish/requests.ts';
import { withDeadline } from '../time/deadline.ts';
import { pause } from '../time/every.ts';
import { watchForHints } from '../time/hints.ts';
import { createNudge } from '../time/nudge.ts';
import { type Agents, createAgents } from './agents/agents.ts';
import { votersOf } from './agents/agents-electorate.ts';
import { serveApi } from './api.ts';
import { createLeading } from './leading.ts';
import { runTogether } from './lifecycle.ts';
import { createWatching, isWatched, type Watching } from './observing/watching.ts';
import { openPatiently, tellRefusals } from './opening.ts';
import type { ProcessParts } from './process.ts';
import type { ServedService } from './served-service.ts';
import { createServerView } from './server-view.ts';
import { createServiceSources } from './service-sources.ts';
import { createStoreHealth, type StoreHealth } from './store-health.ts';
import { createServiceSwitching } from './switching/switching-service.ts';
import { createServerAnnouncing } from './telling/server-announcing.ts';
import { createYielding, startingView, withAllRoles } from './whole-view.ts';

type Loop = (signal: AbortSignal) => Promise<void>;

const snapshotDeadlineMs = 5000;
/** A store that answers at once is waited for, so that nobody gets half an answer. */
const patienceMs = 2000;
const defaultListen = '127.0.0.1:8128';

/**
 * The server: every one of them reads the sources; the one that holds the lease assigns slots and publishes. Ends
 * only when the signal is aborted, and hands the lease back then.
 */
export async function runServer(parts: ProcessParts, signal: AbortSignal): Promise<void> {
  const { config, clock, metrics, readiness } = parts;
  const health = createStoreHealth('server', clock, metrics);
  readiness?.tell('server', { problems: health.problems, says: () => 'waits for the store' });
  const yielding = createYielding(startingView(parts, health));
  const listen = config.api.listen ?? defaultListen;
  const opened = createNudge();
  const show = (view: View, lease: Lease) => {
    opened.nudge();
    readiness?.tell('server', { problems: view.problems, says: () => wordsOf(lease.view()) });
    yielding.giveWay(withAllRoles(view, readiness));
  };
  const loops: Loop[] = [(inner) => serveServices(parts, health, show, inner)];
  if (listen !== 'off')
    loops.push(async (inner) => {
      // While the store is away who asks shall hear that the process lives, and what it waits for.
      await pause(clock, patienceMs, opened, inner);
      if (!inner.aborted) await serveApi(parts, yielding.view, listen, inner);
    });
  await runTogether(loops, signal);
}

/** Opens the store, however long that takes, and does a server's work on it. */
async function serveServices(
  parts: ProcessParts,
  health: StoreHealth,
  show: (view: View, lease: Lease) => void,
  signal: AbortSignal,
): Promise<void> {
  const { config, clock, log, closers } = parts;
  const opening = { clock, log, onFailure: health.note };
  const homes = await openPatiently(
    'the store',
    () => openHomes(config, clock, signal, tellRefusals(log, health)),
    opening,
    signal,
  );
  if (!homes) return;
  closers.add('the store of the server', () => homes.close());
  const requests = homes.store ? createRequests(homes.store) : refuseRequests();
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
  const lease = electionOf(parts, homes, health, () => {
    nudgeAll();
    for (const { switching } of served) switching?.leaseChanged();
  });
  const served = found.map(({ service, nudge, sources }): ServedService => {
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
  });
  const loops: Loop[] = served.flatMap(({ sources, leading, switching }) => [
    sources.run,
    leading.run,
    ...(switching ? [switching.run] : []),
  ]);
  const announcing = createServerAnnouncing(parts, homes, lease, served, () => watching?.electorate.observers());
  loops.push(...announcing.loops, ...hintLoops(requests, nudgeAll, parts));
  const agents = agentsOf(parts, served, homes, watching);
  if (watching) loops.push(watching.run);
  if (agents) loops.push(agents.run);
  const seen = { ...parts, homes, requests, lease, served, watching, agents, health, nudgeAll };
  show(announcing.shownIn(createServerView(seen)), lease);
  await runTogether(loops, signal);
}

/** The lease in a line for people. */
function wordsOf({ state, holder, epoch }: LeaseView): string {
  if (state === 'leader') return `leads in epoch ${epoch}`;
  return holder === undefined || holder === '' ? 'sees no leader' : `follows ${holder}`;
}

/** Every service with sources; news of those nudges its rounds. */
function findServices(parts: ProcessParts, onNews: (service: string) => void) {
  const services = parts.config.services.filter(({ source }) => source.length > 0);
  return services.map((service) => {
    const nudge = createNudge();
    const tell = () => {
      nudge.nudge();
      onNews(service.name);
    };
    return { service, nudge, sources: createServiceSources(parts, service, tell) };
  });
}

/** `undefined` where votes have no place, or agents are not listened for. */
function agentsOf(
  parts: ProcessParts,
  served: readonly ServedService[],
  { snapshots, store }: Homes,
  watching: Watching | undefined,
): Agents | undefined {
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

function electionOf(
  { config, clock, log, metrics }: ProcessParts,
  homes: Homes,
  health: StoreHealth,
  nudge: () => void,
): Lease {
  metrics.isLeader.set(0);
  return createLease({
    home: homes.lease,
    nodeId: config.cluster.nodeId,
    ttlMs: config.cluster.leaseTtlSeconds * 1000,
    clock,
    log,
    onCall: health.note,
    onChange({ state, epoch }) {
      metrics.isLeader.set(state === 'leader' ? 1 : 0);
      metrics.epoch.set(epoch);
      nudge();
    },
  });
}

/** An operator's request is honoured at once, not at the next interval. */
function hintLoops(requests: Requests, nudge: () => void, { clock }: ProcessParts): Loop[] {
  const { changed } = requests;
  if (!changed) return [];
  return [(signal) => watchForHints((inner) => changed(inner), nudge, clock, signal)];
}
