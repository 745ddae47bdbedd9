import type { View } from '../api/view.ts';
import { type Homes, openHomes } from '../publish/homes.ts';
import { createLease, type Lease, type LeaseView } from '../publish/lease.ts';
import { createRequests, refuseRequests } from '../publish/requests.ts';
import { serveApi } from './api.ts';
import { runTogether } from './lifecycle.ts';
import { createOpinions } from './observing/opinions.ts';
import { openPatiently, tellRefusals } from './opening.ts';
import type { ProcessParts } from './process.ts';
import { createServing, type Serving } from './serving.ts';
import { createStoreHealth, type StoreHealth } from './store-health.ts';
import { createYielding, startingView, withWholeProcess } from './whole-view.ts';

type Loop = (signal: AbortSignal) => Promise<void>;

const defaultListen = '127.0.0.1:8128';

/**
 * The server: every one of them reads the sources; the one that holds the lease assigns slots and publishes. Ends
 * only when the signal is aborted, and hands the lease back then. Over a reload the store stays open, the lease held and
 * the API answers.
 */
export async function runServer(parts: ProcessParts, signal: AbortSignal): Promise<void> {
  const { config, clock, metrics, readiness } = parts;
  const health = createStoreHealth('server', clock, metrics);
  readiness?.tell('server', { problems: health.problems, says: () => 'waits for the store' });
  const yielding = createYielding(startingView(parts, health));
  const listen = config.api.listen ?? defaultListen;
  const show = (view: View, lease: Lease) => {
    readiness?.tell('server', { problems: view.problems, says: () => wordsOf(lease.view()) });
    yielding.giveWay(withWholeProcess(view, parts));
  };
  const loops: Loop[] = [(inner) => serveServices(parts, health, show, inner)];
  if (listen !== 'off') loops.push((inner) => serveApi(parts, yielding, listen, inner));
  await runTogether(loops, signal);
}

/** Opens the store, however long that takes, and does a server's work on it. */
async function serveServices(
  parts: ProcessParts,
  health: StoreHealth,
  show: (view: View, lease: Lease) => void,
  signal: AbortSignal,
): Promise<void> {
  const { config, clock, log, closers, reloading } = parts;
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
  let serving: Serving | undefined;
  const lease = electionOf(parts, homes, health, () => serving?.leaseChanged());
  const opinions = createOpinions(clock);
  const serve = (inner: AbortSignal) =>
    reloading.each((now, own, until) => {
      const former = serving?.readings() ?? new Map();
      const kept = { homes, requests, lease, health, opinions, former };
      serving = createServing({ ...parts, ...kept, config: now, closers: own });
      show(serving.view, lease);
      return serving.run(until);
    }, inner);
  await runTogether([(inner) => lease.run(signalAfter(inner, () => serving?.idle())), serve], signal);
}

/** A signal that follows another one as soon as something is done. */
function signalAfter(signal: AbortSignal, done: () => Promise<unknown> | undefined): AbortSignal {
  const later = new AbortController();
  const follow = async () => {
    await done();
    later.abort(signal.reason);
  };
  if (signal.aborted) void follow();
  else signal.addEventListener('abort', () => void follow(), { once: true });
  return later.signal;
}

/** The lease in a line for people. */
function wordsOf({ state, holder, epoch }: LeaseView): string {
  if (state === 'leader') return `leads in epoch ${epoch}`;
  return holder === undefined || holder === '' ? 'sees no leader' : `follows ${holder}`;
}

function electionOf(
  { config, clock, log, metrics }: ProcessParts,
  homes: Homes,
  health: StoreHealth,
  onChange: () => void,
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
      onChange();
    },
  });
}
