import { randomUUID } from 'node:crypto';
import type { ServiceView, SourceView, View } from '../api/view.ts';
import { HsdoError } from '../model/error.ts';
import type { Problem } from '../model/problem.ts';
import type { Override } from '../model/slot.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Homes } from '../publish/homes.ts';
import type { Lease } from '../publish/lease.ts';
import { createReports, type Report } from '../publish/reports.ts';
import type { Requests } from '../publish/requests.ts';
import { version } from '../telemetry/version.ts';
import { withDeadline } from '../time/deadline.ts';
import type { Agents } from './agents.ts';
import { electorateOf } from './agents-electorate.ts';
import { domainsOf } from './dns-view.ts';
import type { ProcessParts } from './process.ts';
import type { ServedService } from './served-service.ts';
import { observerView, serviceDetail } from './service-detail.ts';
import { serviceView } from './service-view.ts';
import type { StoreHealth } from './store-health.ts';
import type { Watching } from './watching.ts';

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
/** A client refreshes its report every minute; one that fell silent for longer is not shown. */
const silentMs = 5 * 60_000;

/** What a server tells over the API, and the few things that one may ask of it. */
export function createServerView(parts: ServerViewParts): View {
  const { config, clock, homes, requests, lease, served, watching, agents, health, dns } = parts;
  const domains = domainsOf(config);
  const process = new AbortController();
  const asking = <T>(call: (signal: AbortSignal) => Promise<T>) =>
    withDeadline('The store', deadlineMs, process.signal, call);
  const snapshotOf = (service: string) => asking((signal) => homes.snapshots.read(service, signal));
  const isServed = (service: string) => config.services.some(({ name }) => name === service);

  /** The list that the service has in the store; a name that nobody configured is refused. */
  const listOf = async (service: string): Promise<Snapshot> => {
    const snapshot = isServed(service) ? await snapshotOf(service) : undefined;
    if (snapshot) return snapshot;
    throw new HsdoError(
      'rejected',
      `Cannot find service "${service}": ${isServed(service) ? 'it has no list yet' : 'it is not configured here'}`,
    );
  };
  const problems = () => [
    ...health.problems(),
    ...(watching?.observing.problems() ?? []),
    ...(agents?.problems() ?? []),
    ...served.flatMap(serviceProblems),
    ...(dns?.problems() ?? []),
  ];
  const voters = () => (watching?.electorate.observers() ?? []).filter(({ services }) => services.length > 0);
  const clientReports = async () => {
    const { store } = homes;
    if (!store) return [];
    return asking((signal) => createReports(store).list(clock.now() - silentMs, signal)).catch(() => []);
  };

  return {
    problems,
    async status() {
      const reports = await clientReports();
      const services = await Promise.all(
        served.map(async (one) => {
          const snapshot = one.leading.last()?.snapshot ?? (await snapshotOf(one.name).catch(() => undefined));
          return viewOf(one, reports, snapshot, requests);
        }),
      );
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
        services,
        ...(dns ? { dns: dns.view() } : {}),
      };
    },
    slots: async (service) => (isServed(service) ? ((await snapshotOf(service))?.slots ?? []) : undefined),
    async service(name) {
      const one = served.find((candidate) => candidate.name === name);
      if (!one) return undefined;
      // Read once, or the two halves of the answer would be of different lists.
      const snapshot = one.leading.last()?.snapshot ?? (await snapshotOf(name));
      const view = await viewOf(one, await clientReports(), snapshot, requests);
      return serviceDetail(view, one.service, snapshot, {
        observers: electorateOf(one.service, watching?.electorate.observers() ?? []),
        opinions: watching?.observing.opinions(name) ?? [],
        sights: agents?.sights(),
        domains: domains.get(name),
      });
    },
    async decommission(observer, by) {
      if (!watching) throw new HsdoError('rejected', 'Cannot strike off an observer: no service here has a check');
      await asking((signal) => watching.electorate.decommission(observer, signal));
      parts.log.info({ observer, by }, 'an observer is decommissioned');
    },
    async releaseHold(service, token, by) {
      const { hold } = await listOf(service);
      if (hold?.token !== token) {
        throw new HsdoError(
          'rejected',
          `Cannot release "${token}": ${hold ? `the hold of "${service}" is "${hold.token}"` : `"${service}" has no hold`}`,
        );
      }
      await asking((signal) => requests.release(service, token, by, clock.now(), signal));
      parts.nudgeAll();
    },
    async forgetPrimary(service, by) {
      const { primary } = await listOf(service);
      if (primary?.highestTimeline === undefined && primary?.lastId === undefined) {
        throw new HsdoError('rejected', `Cannot forget the primaries of "${service}": it remembers none`);
      }
      const token = randomUUID();
      await asking((signal) => requests.forgetPrimary(service, token, by, clock.now(), signal));
      parts.log.info({ service, by }, 'an operator asks to forget the primaries of the past');
      parts.nudgeAll();
    },
    async override(service, target, state, by) {
      const targetId = await idOf(await listOf(service), target, state, service, requests, asking);
      await asking((signal) => requests.override(service, targetId, state, by, clock.now(), signal));
      parts.log.info({ service, target: targetId, state: state ?? 'none', by }, 'an override is asked for');
      parts.nudgeAll();
    },
  };
}

/** An operator may say the name or the id; ending an override also works for a target that is gone. */
async function idOf(
  snapshot: Snapshot,
  target: string,
  state: Override | undefined,
  service: string,
  requests: Requests,
  asking: <T>(call: (signal: AbortSignal) => Promise<T>) => Promise<T>,
): Promise<string> {
  const owners = snapshot.slots.flatMap((slot) => (slot.state === 'free' ? [] : [slot.target]));
  const matches = owners.filter(({ id, name }) => id === target || name === target);
  const exact = matches.find(({ id }) => id === target) ?? (matches.length === 1 ? matches[0] : undefined);
  if (exact) return exact.id;
  if (matches.length > 1) {
    throw new HsdoError(
      'rejected',
      `Cannot tell which target "${target}" is: ${matches.map(({ id }) => id).join(', ')} have that name`,
    );
  }
  if (state === undefined) {
    const { overrides } = await asking((signal) => requests.read(service, signal));
    if (overrides.some(({ targetId }) => targetId === target)) return target;
  }
  throw new HsdoError('rejected', `Cannot find target "${target}" in the list of "${service}"`);
}

async function viewOf(
  { name, sources, leading, switching }: ServedService,
  reports: readonly Report[],
  snapshot: Snapshot | undefined,
  requests: Requests,
): Promise<ServiceView> {
  const last = leading.last();
  const switched = switching?.view();
  const asked = last?.asked ?? (await requests.read(name, new AbortController().signal).catch(() => undefined));
  return {
    ...serviceView(name, snapshot),
    shrinkBlockedBy: last?.shrinkBlockedBy ?? [],
    sources: sources.views(),
    duplicates: sources.duplicates(),
    overrides: asked?.overrides ?? [],
    ...(switched ? { switch: switched } : {}),
    clients: reports.filter(({ service }) => service === name),
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

const isFailing = ({ lastError, lastSuccessAt }: SourceView) => lastError !== undefined || lastSuccessAt === undefined;
