import type { ServiceView, View } from '../api/view.ts';
import type { Problem } from '../model/problem.ts';
import { version } from '../telemetry/version.ts';
import { domainsOf } from './dns/dns-view.ts';
import type { KeptService } from './kept-service.ts';
import { clusterView } from './observing/node-views.ts';
import type { ProcessParts } from './process.ts';
import { refusing } from './refusing.ts';
import { reportOf } from './reporting.ts';
import { serviceDetail } from './service-detail.ts';
import { serviceView } from './service-view.ts';
import type { StoreHealth } from './store-health.ts';
import { candidatesOf } from './switchover-view.ts';

function haproxyProblems({ delivery, current }: KeptService): Problem[] {
  const { service, sockets } = delivery.status();
  const noList =
    current() === undefined ? [{ part: `service "${service}"`, message: 'no list was ever published' }] : [];
  const away = sockets
    .filter(({ isUp }) => isUp !== true)
    .map(({ socket, lastError }) => ({ part: `HAProxy at ${socket}`, message: lastError ?? 'it was not reached yet' }));
  return [...noList, ...away];
}

/** What a process that is a client only can tell. Requests go to a server. */
export function createClientView(
  { config, clock, dns }: ProcessParts,
  kept: readonly KeptService[],
  health: StoreHealth,
): View {
  // A client that works from its last list is ready: only what keeps it from HAProxy counts.
  const problems = () => [...kept.flatMap(haproxyProblems), ...(dns?.problems() ?? [])];
  const domains = domainsOf(config);
  const view = (one: KeptService): ServiceView => ({
    ...serviceView(one.name, one.current()),
    clients: [reportOf(config.cluster.nodeId, one, clock.now())],
  });
  return {
    serviceNames: () => kept.map(({ name }) => name),
    problems,
    pulse: () => ({ services: [], ...(dns ? { queriesPerSecond: dns.view().queriesPerSecond } : {}) }),
    services: async () => kept.map(view),
    cluster: async () => ({ ...clusterView({ config, clock, health, problems: problems() }), nodes: 0 }),
    status: async () => ({
      node: config.cluster.nodeId,
      version,
      roles: ['client', ...(dns ? ['dns'] : [])],
      at: clock.now(),
      store: health.view(config.store.kind),
      problems: problems(),
      observers: [],
      services: kept.map(view),
      ...(dns ? { dns: dns.view() } : {}),
    }),
    slots: async (name) => kept.find((one) => one.name === name)?.current()?.slots,
    async service(name) {
      const one = kept.find((candidate) => candidate.name === name);
      const service = config.services.find((candidate) => candidate.name === name);
      if (!one || !service) return undefined;
      const known = { observers: [], opinions: [], domains: domains.get(name) };
      return serviceDetail(view(one), service, one.current(), known);
    },
    async candidates(name) {
      const service = config.services.find((candidate) => candidate.name === name);
      const one = kept.find((candidate) => candidate.name === name);
      return service && one && candidatesOf(service, one.current());
    },
    ...refusing('is a client only'),
  };
}
