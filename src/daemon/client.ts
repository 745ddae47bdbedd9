import type { ServiceConfig } from '../config/schema.ts';
import { createHaproxy } from '../deliver/haproxy/haproxy.ts';
import type { Save } from '../deliver/haproxy/keeper.ts';
import { loadMemory, type Memory, saveMemory } from '../deliver/haproxy/memory.ts';
import { openHomes } from '../publish/homes.ts';
import { serveApi } from './api.ts';
import { createClientView } from './client-view.ts';
import { createFollower } from './follow.ts';
import type { KeptService } from './kept-service.ts';
import { runTogether } from './lifecycle.ts';
import { openPatiently, tellRefusals } from './opening.ts';
import type { ProcessParts } from './process.ts';
import { createReporter } from './reporting.ts';
import { exportSnapshot } from './slot-metrics.ts';
import { createStoreHealth, type StoreHealth } from './store-health.ts';
import { createYielding, startingView, withWholeProcess } from './whole-view.ts';

type Loop = (signal: AbortSignal) => Promise<void>;

/**
 * The client: follows the published snapshots and keeps every configured HAProxy in line with them. Starts from what
 * it remembers on disk, so it needs neither the store nor a server to be there. Over a reload HAProxy is left as it is.
 */
export async function runClient(
  parts: ProcessParts,
  options: { readonly withApi: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { config, clock, metrics, reloading } = parts;
  const health = createStoreHealth('client', clock, metrics);
  const yielding = createYielding(startingView(parts, health));
  const memories = new Map<string, Memory>();
  const keep: Loop = (inner) =>
    reloading.each(async (now, closers, until) => {
      const own = { ...parts, config: now, closers };
      const services = now.services.filter(({ haproxy }) => haproxy !== undefined);
      const kept = await Promise.all(services.map((service) => keepService(own, service, memories)));
      const view = createClientView(own, kept, health);
      const lists = kept.length === 1 ? 'a list' : `${kept.length} lists`;
      parts.readiness?.tell('client', { problems: view.problems, says: () => `delivers ${lists}` });
      yielding.giveWay(withWholeProcess(view, parts));
      const deliveries = kept.map(
        ({ delivery }): Loop =>
          (loop) =>
            delivery.run(loop),
      );
      await runTogether([...deliveries, (loop) => followStore(own, kept, health, loop)], until);
    }, inner);
  const loops = [keep];
  const { listen } = config.api;
  if (options.withApi && listen !== undefined && listen !== 'off')
    loops.push((inner) => serveApi(parts, yielding, listen, inner));
  await runTogether(loops, signal);
}

/** Opens the store, however long that takes, then follows it and tells it about the HAProxies. */
async function followStore(
  parts: ProcessParts,
  kept: readonly KeptService[],
  health: StoreHealth,
  signal: AbortSignal,
): Promise<void> {
  const { config, clock, log, closers } = parts;
  const opened = await openPatiently(
    'the store',
    () => openHomes(config, clock, signal, tellRefusals(log, health)),
    { clock, log, onFailure: health.note },
    signal,
  );
  if (!opened) return;
  closers.add('the store of the client', () => opened.close());
  const followers = kept.map((one) =>
    createFollower({
      service: one.name,
      snapshots: opened.snapshots,
      intervalMs: config.intervalSeconds * 1000,
      clock,
      log,
      initial: one.current(),
      onSnapshot: one.use,
      onLook(error) {
        health.note(error);
        if (error === undefined)
          parts.metrics.snapshotAge.set({ service: one.name, role: 'client' }, clock.now() / 1000);
      },
    }),
  );
  const loops: Loop[] = followers.map((follower) => (inner) => follower.run(inner));
  if (opened.store)
    loops.push(createReporter({ client: config.cluster.nodeId, kept, store: opened.store, clock, log }).run);
  await runTogether(loops, signal);
}

/** `memories` are those of this process, by service: what the disk has may be older. */
async function keepService(
  parts: ProcessParts,
  service: ServiceConfig,
  memories: Map<string, Memory>,
): Promise<KeptService> {
  const { config, clock, log, metrics } = parts;
  const { name, haproxy } = service;
  if (haproxy === undefined) throw new Error(`service "${name}" has no haproxy block`);
  const folder = config.stateDirectory;
  const isFirst = !memories.has(name);
  const memory = memories.get(name) ?? (await loadMemory(folder, name, log));
  memories.set(name, memory);
  const save: Save = (own, onWritten) => saveMemory(folder, own, onWritten);
  const delivery = createHaproxy({ service: name, config: haproxy, memory, save, clock, log, metrics });
  let current = memory.snapshot;
  if (current) {
    if (isFirst) log.info({ service: name, revision: current.revision }, 'starting from the list on disk');
    exportSnapshot(metrics, current, 'client');
  }
  return {
    name,
    delivery,
    current: () => current,
    use(snapshot) {
      log.debug({ service: name, revision: snapshot.revision }, 'a new snapshot is delivered');
      current = snapshot;
      exportSnapshot(metrics, snapshot, 'client');
      delivery.deliver(snapshot);
    },
  };
}
