import type { AgentReport } from '../../agent/wire.ts';
import type { Taken } from '../../api/agents-view.ts';
import type { Ballot } from '../../model/ballot.ts';
import type { RegisteredObserver } from '../../publish/ballot-reader.ts';
import type { Clock } from '../../time/clock.ts';
import type { Roster } from './agents-roster.ts';
import { createReportTimes, type ReportTimes, untimely } from './agents-time.ts';
import { type AgentVotes, createAgentVotes } from './agents-votes.ts';

/** An agent that reports to this server. */
export interface KnownAgent {
  readonly id: string;
  readonly votes: AgentVotes;
  readonly times: ReportTimes;
  /** Wall-clock milliseconds of its last report, whatever became of that. */
  seenAt: number;
  /** How far its clock is ahead of ours, milliseconds. */
  offsetMs: number;
  /** Differs from what was told last. */
  isNews: boolean;
}

/** Where reports are taken in and become votes, one observer for each agent. */
export interface AgentDesk {
  take(roster: Roster, report: AgentReport): Promise<Taken>;
  agents(): readonly KnownAgent[];
  /** Forgets an agent of which nothing is heard any more. */
  drop(id: string): void;
}

/** What one server bears: far more than anybody has, and little enough for its memory. */
export const deskLimits = { agents: 1000, votesPerAgent: 20_000, votes: 200_000 } as const;

export function createAgentDesk(options: {
  readonly nodeId: string;
  readonly rosters: ReadonlyMap<string, Roster>;
  readonly observers: () => readonly RegisteredObserver[] | undefined;
  /** What stands under an agent's name in the store; it has a deadline and throws nothing. */
  readonly former: (agent: string) => Promise<Ballot | undefined>;
  readonly onNews: () => void;
  readonly clock: Clock;
}): AgentDesk {
  const { nodeId, rosters, observers, former, onNews, clock } = options;
  const agents = new Map<string, KnownAgent>();
  const opening = new Map<string, Promise<KnownAgent>>();
  const isServer = (id: string) =>
    id === nodeId || observers()?.some((one) => one.id === id && one.kind === 'server') === true;
  const voteCount = () => [...agents.values()].reduce((sum, { votes }) => sum + votes.count(), 0);

  /** What keeps one more service of this agent from being counted. */
  function excessOf({ id, votes }: KnownAgent, roster: Roster): Refused | undefined {
    const { votesPerAgent, votes: most } = deskLimits;
    const further = roster.targets().length;
    if (votes.count() + further > votesPerAgent) {
      return refused('too-many', 422, `agent "${id}" reports on more than ${votesPerAgent} targets`);
    }
    return voteCount() + further <= most
      ? undefined
      : refused('too-many', 429, `all agents together report on more than ${most} targets`);
  }
  async function open(id: string): Promise<KnownAgent> {
    const left = await former(id);
    const votes = createAgentVotes(id, rosters, left, clock);
    const agent = { id, votes, times: createReportTimes(clock), seenAt: clock.now(), offsetMs: 0, isNews: true };
    opening.delete(id);
    agents.set(id, agent);
    return agent;
  }
  /** Those of whom the store is asked just now are counted, too. */
  function find(id: string): KnownAgent | Promise<KnownAgent> | undefined {
    const known = agents.get(id) ?? opening.get(id);
    if (known !== undefined || agents.size + opening.size >= deskLimits.agents) return known;
    const opened = open(id);
    opening.set(id, opened);
    return opened;
  }
  return {
    async take(roster, report) {
      const { service, domain } = roster.checked;
      const { agent_id: id, target_ip: address, port } = report;
      if (isServer(id))
        return refused('impostor', 403, `agent_id: "${id}" is the name of a server; choose another one`);
      if (service.agents.ids?.includes(id) === false) {
        return refused('stranger', 403, `agent_id: "${id}" is not among the agents of "${domain}"`);
      }
      const target = roster.find(address, port);
      if (target === undefined && !roster.isComplete()) {
        return refused('not-ready', 503, 'the targets are not known yet; send it again');
      }
      if (target === undefined) {
        const place = port === undefined || port === null ? address : `${address}, port ${port}`;
        return refused('unknown-target', 422, `target_ip: "${domain}" has no target at ${place}`);
      }
      const fault = untimely(report, service.agents.freshSeconds * 1000, clock.now());
      if (fault !== undefined) return refused('untimely', 422, fault);
      const agent = await find(id);
      if (agent === undefined) return refused('too-many', 429, `more than ${deskLimits.agents} agents report here`);
      const excess = agent.votes.rosters().includes(roster) ? undefined : excessOf(agent, roster);
      if (excess !== undefined) return excess;
      const { ageMs, offsetMs } = agent.times.of(report);
      agent.seenAt = clock.now();
      agent.offsetMs = offsetMs;
      const { isLate, isNews } = agent.votes.take(roster, target, report, ageMs);
      if (isNews) {
        agent.isNews = true;
        onNews();
      }
      return { outcome: isLate ? 'late' : 'accepted' };
    },
    agents: () => [...agents.values()],
    drop: (id) => void agents.delete(id),
  };
}

type Refused = Extract<Taken, { readonly code: number }>;

const refused = (outcome: Refused['outcome'], code: Refused['code'], error: string): Refused => ({
  outcome,
  code,
  error,
});
