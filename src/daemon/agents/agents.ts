import { setMaxListeners } from 'node:events';
import { createAgentsApp } from '../../api/agents-app.ts';
import type { AgentService, AgentsView } from '../../api/agents-view.ts';
import { serve } from '../../api/listen.ts';
import { agentDomainOf } from '../../config/agents.ts';
import type { ServiceConfig } from '../../config/schema.ts';
import type { Problem } from '../../model/problem.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { RegisteredObserver } from '../../publish/ballot-reader.ts';
import type { Store } from '../../store/store.ts';
import { createNudge } from '../../time/nudge.ts';
import { bugsIn } from '../api.ts';
import { runTogether } from '../lifecycle.ts';
import type { ProcessParts } from '../process.ts';
import { createAgentDesk } from './agents-desk.ts';
import { createRoster, type Roster } from './agents-roster.ts';
import { domainDetail, domainStatus } from './agents-status.ts';
import type { AgentChecked } from './agents-tasks.ts';
import { createAgentTelling, formerVotes } from './agents-telling.ts';

/** The server's side of the agents: a listener for them, and one observer in the electorate for each. */
export interface Agents {
  run(signal: AbortSignal): Promise<void>;
  /** The sources of a service report something else than before. */
  targetsChanged(service: string): void;
  problems(): readonly Problem[];
  /** What this process knows of agents beside their votes, by id. */
  sights(): ReadonlyMap<string, { readonly lastSeenAt: number; readonly clockOffsetMs: number }>;
}

export interface AgentsParts extends Pick<ProcessParts, 'config' | 'clock' | 'log' | 'metrics'> {
  readonly services: readonly { readonly service: ServiceConfig; readonly known: AgentChecked['known'] }[];
  readonly store: Store;
  /** The electorate as last read. */
  readonly observers: () => readonly RegisteredObserver[] | undefined;
  /** The list of a service as it is published. */
  readonly snapshotOf: (service: string) => Promise<Snapshot | undefined>;
  readonly onListening?: (port: number) => void;
}

/** `undefined` where no service has agents, or nobody listens for them. Touches nothing outside before `run`. */
export function createAgents(parts: AgentsParts): Agents | undefined {
  const { config, clock, log, store, observers } = parts;
  const { listen, maxBodyBytes, requestsPerSecond } = config.api.agents;
  const rosters = rostersOf(parts);
  if (listen === 'off' || rosters.size === 0) return undefined;
  const cast = createNudge();
  const process = new AbortController();
  // After a restart of the server all agents come at once, and the store is asked about each.
  setMaxListeners(0, process.signal);
  const desk = createAgentDesk({
    nodeId: config.cluster.nodeId,
    rosters,
    observers,
    former: (agent) => formerVotes({ store, clock, log, agent }, process.signal),
    onNews: cast.nudge,
    clock,
  });
  const telling = createAgentTelling({ ...parts, desk, cast, intervalMs: intervalOf(config, rosters) });
  const view = viewOf(parts, rosters, desk);
  const app = createAgentsApp({ ...parts, view, maxBodyBytes, requestsPerSecond, onBug: bugsIn(log) });
  return {
    async run(signal) {
      const listening = (inner: AbortSignal) => serve('the API for agents', app, listen, parts, inner);
      await runTogether([listening, telling.run], signal);
      process.abort(signal.reason);
    },
    targetsChanged: (service) => rosters.get(service)?.targetsChanged(),
    problems: telling.problems,
    sights: () =>
      new Map(desk.agents().map(({ id, seenAt, offsetMs }) => [id, { lastSeenAt: seenAt, clockOffsetMs: offsetMs }])),
  };
}

/** Often enough for heartbeats at a third of the time for which reports count. */
function intervalOf({ cluster }: AgentsParts['config'], rosters: ReadonlyMap<string, Roster>): number {
  const fresh = [...rosters.values()].map(({ checked }) => checked.service.agents.freshSeconds / 4);
  return Math.min(cluster.heartbeatSeconds, ...fresh) * 1000;
}

function rostersOf({ services, config, clock }: AgentsParts): ReadonlyMap<string, Roster> {
  return new Map(
    services.flatMap(({ service, known }): (readonly [string, Roster])[] => {
      const { check, agents } = service;
      if (check === undefined || agents === undefined) return [];
      const checked = { service: { ...service, check, agents }, domain: agentDomainOf(service, config.dns), known };
      return [[service.name, createRoster(checked, clock)]];
    }),
  );
}

function viewOf(
  { snapshotOf }: AgentsParts,
  rosters: ReadonlyMap<string, Roster>,
  desk: ReturnType<typeof createAgentDesk>,
): AgentsView {
  const rosterOf = ({ name }: AgentService): Roster => {
    const roster = rosters.get(name);
    if (roster === undefined) throw new TypeError(`service "${name}" has no agents`);
    return roster;
  };
  const sightsOf = (service: string) =>
    desk
      .agents()
      .map(({ id, seenAt, votes }) => ({ id, seenAt, reports: votes.reports(service) }))
      .filter(({ reports }) => reports.length > 0);
  return {
    services: [...rosters.values()].map(({ checked: { service, domain } }) => {
      const { token, tags } = service.agents;
      return { name: service.name, domain, token, tags };
    }),
    tasks: (service) => rosterOf(service).tasks(),
    take: (service, report) => desk.take(rosterOf(service), report),
    async status(service) {
      return domainStatus(rosterOf(service).checked, await snapshotOf(service.name), sightsOf(service.name));
    },
    async detail(service) {
      return domainDetail(rosterOf(service).checked, await snapshotOf(service.name), sightsOf(service.name));
    },
  };
}
