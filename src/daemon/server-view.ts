import type { SourceView, View } from '../api/view.ts';
import type { ServiceConfig } from '../config/schema.ts';
import { quorumOf } from '../judge/quorum.ts';
import type { Problem } from '../model/problem.ts';
import type { RegisteredObserver } from '../publish/ballot-reader.ts';
import { createEvents } from '../publish/events.ts';
import type { Homes } from '../publish/homes.ts';
import type { Lease } from '../publish/lease.ts';
import type { Requests } from '../publish/requests.ts';
import { version } from '../telemetry/version.ts';
import { withDeadline } from '../time/deadline.ts';
import type { Agents } from './agents/agents.ts';
import { electorateOf } from './agents/agents-electorate.ts';
import { domainsOf } from './dns/dns-view.ts';
import { clusterView, nodeViews } from './observing/node-views.ts';
import type { Watching } from './observing/watching.ts';
import type { ProcessParts } from './process.ts';
import { pulseOf } from './pulse.ts';
import type { ServedService } from './served-service.ts';
import { createServedViews } from './served-views.ts';
import { type Asking, createServerCommands } from './server-commands.ts';
import { observerView, serviceDetail } from './service-detail.ts';
import type { StoreHealth } from './store-health.ts';
import { candidatesOf } from './switchover-view.ts';

interface ServerViewParts extends ProcessParts {
  readonly homes: Homes;
  readonly requests: Requests;
  readonly lease: Lease;
  readonly served: readonly ServedService[];
  /** Absent where there is no place for votes. */
  readonly watching: Watching | undefined;
  /** Absent where nobody listens for agents. */
  readonly agents: Agents | undefined;
  readonly health: StoreHealth;
  readonly nudgeAll: () => void;
}

const deadlineMs = 5000;
/**
 * Those who watch are told within five seconds, or they take the process for dead (the page), and a picture is made of two of
 * these reads one after the other. A store that hangs is not waited for longer.
 */
const lookMs = 1500;

/** What a server tells over the API, and the few things that one may ask of it. */
export function createServerView(parts: ServerViewParts): View {
  const { config, clock, homes, requests, lease, served, watching, agents, health, dns } = parts;
  const domains = domainsOf(config);
  const process = new AbortController();
  const within =
    (ms: number): Asking =>
    (call) =>
      withDeadline('The store', ms, process.signal, call);
  const [asking, looking] = [within(deadlineMs), within(lookMs)];
  const snapshotOf = (service: string) => asking((signal) => homes.snapshots.read(service, signal));
  const isServed = (service: string) => config.services.some(({ name }) => name === service);

  const observersOf = (service: ServiceConfig) => electorateOf(service, watching?.electorate.observers() ?? []);
  const problems = () => [
    ...health.problems(),
    ...(watching?.observing.problems() ?? []),
    ...(agents?.problems() ?? []),
    ...served.flatMap(serviceProblems),
    ...served.flatMap(({ service }) => quorumProblems(service, watching?.electorate.observers())),
    ...(dns?.problems() ?? []),
  ];
  const voters = () => (watching?.electorate.observers() ?? []).filter(({ services }) => services.length > 0);
  const find = (name: string) => served.find((candidate) => candidate.name === name);
  const hasQuorum = (service: ServiceConfig) => quorumProblems(service, watching?.electorate.observers()).length === 0;
  const views = createServedViews({ served, homes, requests, hasQuorum, looking, clock });
  const nodes = () => nodeViews({ config, lease: lease.view(), electorate: watching?.electorate });

  return {
    serviceNames: () => served.map(({ name }) => name),
    problems,
    pulse: () => ({
      services: served.map(({ name }) => ({ name, targets: pulseOf(watching?.observing.opinions(name) ?? []) })),
      ...(dns ? { queriesPerSecond: dns.view().queriesPerSecond } : {}),
    }),
    services: views.all,
    nodes: async () => nodes(),
    cluster: async () => ({
      ...clusterView({ config, clock, health, problems: problems(), lease: lease.view() }),
      nodes: nodes().length,
    }),
    async status() {
      const { nodeId: node } = config.cluster;
      return {
        node,
        version,
        roles: ['server', ...(dns ? ['dns'] : [])],
        at: clock.now(),
        store: health.view(config.store.kind),
        lease: lease.view(),
        problems: problems(),
        observers: voters().map((one) => observerView(one, agents?.sights())),
        services: await views.all(),
        ...(dns ? { dns: dns.view() } : {}),
      };
    },
    slots: async (service) => (isServed(service) ? ((await snapshotOf(service))?.slots ?? []) : undefined),
    async candidates(name) {
      const one = find(name);
      return one && candidatesOf(one.service, await views.newest(one));
    },
    async events(wanted) {
      const { store } = homes;
      return store ? looking((signal) => createEvents(store).list(wanted, signal)) : [];
    },
    async service(name) {
      const one = find(name);
      if (!one) return undefined;
      const { view, snapshot } = await views.one(one);
      return serviceDetail(view, one.service, snapshot, {
        observers: observersOf(one.service),
        opinions: watching?.observing.opinions(name) ?? [],
        sights: agents?.sights(),
        domains: domains.get(name),
      });
    },
    ...createServerCommands({ ...parts, store: homes.store, asking, snapshotOf }),
  };
}

function serviceProblems({ name, sources, leading, switching }: ServedService): Problem[] {
  const failure = leading.failure();
  const failing = sources.views().filter(isFailing);
  return [
    ...(failure === undefined ? [] : [{ part: `service "${name}"`, message: failure }]),
    ...(switching?.problems() ?? []),
    ...failing.map(({ label, lastError }) => ({
      part: `source "${name}/${label}"`,
      message: lastError ?? 'it was not read yet',
    })),
  ];
}

/** Why too few vote on a service; nothing where it has no check, or the votes were not read yet. */
function quorumProblems(service: ServiceConfig, observers: readonly RegisteredObserver[] | undefined): Problem[] {
  if (service.check === undefined || observers === undefined) return [];
  const { voting, registered, needed, isMet } = quorumOf(electorateOf(service, observers), service.name, service.vote);
  if (isMet) return [];
  const message = `no quorum: ${voting} of ${registered} observers vote, and ${needed} are needed`;
  return [{ part: `service "${service.name}"`, message }];
}

const isFailing = ({ lastError, lastSuccessAt }: SourceView) => lastError !== undefined || lastSuccessAt === undefined;
