import type { ServiceView, View } from '../../api/view.ts';
import type { Config } from '../../config/schema.ts';
import { layOutNames } from '../../deliver/dns/records/zones.ts';
import { version } from '../../telemetry/version.ts';
import { clusterView } from '../observing/node-views.ts';
import type { ProcessParts } from '../process.ts';
import { refusing } from '../refusing.ts';
import { serviceDetail } from '../service-detail.ts';
import { serviceView } from '../service-view.ts';
import { candidatesOf } from '../switchover-view.ts';
import type { DnsTold } from './dns-told.ts';

/** The names that people ask for, of every service that has any. */
export function domainsOf({ dns, services }: Pick<Config, 'dns' | 'services'>): ReadonlyMap<string, readonly string[]> {
  if (dns === undefined) return new Map();
  const { serviceNames } = layOutNames(dns, services);
  const spoken = serviceNames.map(({ service, names }) => {
    const people = names.filter(({ kind }) => kind === 'service').map(({ name }) => name);
    return [service, people] as const;
  });
  return new Map(spoken.filter(([, names]) => names.length > 0));
}

/** What a process that only answers DNS can tell. Requests go to a server. */
export function createDnsOnlyView({ config, clock }: ProcessParts, told: DnsTold): View {
  const named = [...domainsOf(config).keys()];
  const view = (service: string): ServiceView => serviceView(service, told.current(service));
  return {
    serviceNames: () => named,
    problems: told.problems,
    pulse: () => ({ services: [], queriesPerSecond: told.view().queriesPerSecond }),
    services: async () => named.map(view),
    cluster: async () => {
      const health = { view: () => told.view().store };
      return { ...clusterView({ config, clock, health, problems: told.problems() }), nodes: 0 };
    },
    status: async () => {
      const dns = told.view();
      return {
        node: config.cluster.nodeId,
        version,
        roles: ['dns'],
        at: clock.now(),
        store: dns.store,
        problems: told.problems(),
        observers: [],
        services: named.map(view),
        dns,
      };
    },
    slots: async (name) => told.current(name)?.slots,
    async service(name) {
      const service = config.services.find((candidate) => candidate.name === name);
      if (service === undefined || !named.includes(name)) return undefined;
      const known = { observers: [], opinions: [], domains: domainsOf(config).get(name) };
      return serviceDetail(view(name), service, told.current(name), known);
    },
    async candidates(name) {
      const service = config.services.find((candidate) => candidate.name === name);
      return service && named.includes(name) ? candidatesOf(service, told.current(name)) : undefined;
    },
    ...refusing('only answers DNS'),
  };
}
