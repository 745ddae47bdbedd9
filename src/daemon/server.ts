import { createApp } from '../api/app.ts';
import { serve } from '../api/listen.ts';
import type { Homes } from '../publish/homes.ts';
import { openHomes } from '../publish/homes.ts';
import { createLease, type Lease } from '../publish/lease.ts';
import { createRequests, type Requests, refuseRequests } from '../publish/requests.ts';
import { createNudge, type Nudge } from '../time/nudge.ts';
import { watchForHints } from './follow.ts';
import { createLeading } from './leading.ts';
import { runTogether } from './lifecycle.ts';
import { openPatiently, tellRefusals } from './opening.ts';
import type { ProcessParts } from './process.ts';
import type { ServedService } from './served-service.ts';
import { createServerView } from './server-view.ts';
import { createServiceSources } from './service-sources.ts';
import { createStoreHealth, type StoreHealth } from './store-health.ts';

type Loop = (signal: AbortSignal) => Promise<void>;

const defaultListen = '127.0.0.1:8128';

/**
 * The server: every one of them reads the sources; the one that holds the lease assigns slots and publishes. Ends
 * only when the signal is aborted, and hands the lease back then.
 */
export async function runServer(parts: ProcessParts, signal: AbortSignal): Promise<void> {
  const { config, clock, log, metrics, closers } = parts;
  const health = createStoreHealth('server', clock, metrics);
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
  const nudges: Nudge[] = [];
  const nudgeAll = () => {
    for (const { nudge } of nudges) nudge();
  };
  const lease = electionOf(parts, homes, health, nudgeAll);
  const served = config.services
    .filter(({ source }) => source.length > 0)
    .map((service): ServedService => {
      const nudge = createNudge();
      nudges.push(nudge);
      const sources = createServiceSources(parts, service, nudge.nudge);
      const intervalMs = config.intervalSeconds * 1000;
      const leading = createLeading({
        ...parts,
        ...homes,
        service,
        known: sources.known,
        lease,
        requests,
        intervalMs,
        nudge,
      });
      return { name: service.name, sources, leading };
    });
  const loops: Loop[] = served.flatMap(({ sources, leading }) => [sources.run, leading.run]);
  loops.push(lease.run, ...hintLoops(requests, nudgeAll, parts));
  const listen = config.api.listen ?? defaultListen;
  if (listen !== 'off') {
    const view = createServerView({
      ...parts,
      homes,
      requests,
      lease,
      served,
      health,
      nudgeAll,
    });
    loops.push((inner) => serve('the API', createApp(view, config.api.token), listen, parts, inner));
  }
  await runTogether(loops, signal);
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
