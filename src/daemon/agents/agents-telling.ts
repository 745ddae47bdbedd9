import type { Ballot } from '../../model/ballot.ts';
import { describeError, HsdoError } from '../../model/error.ts';
import type { Problem } from '../../model/problem.ts';
import type { RegisteredObserver } from '../../publish/ballot-reader.ts';
import { createBallotWriter } from '../../publish/ballot-writer.ts';
import type { Store } from '../../store/store.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Clock } from '../../time/clock.ts';
import { withDeadline } from '../../time/deadline.ts';
import { every } from '../../time/every.ts';
import type { Nudge } from '../../time/nudge.ts';
import type { AgentDesk, KnownAgent } from './agents-desk.ts';
import { createSpeaker, type Said, type Speaker } from './agents-speaker.ts';

/** The loop that brings the agents' votes into the store, and lets go those of agents that fell silent. */
export interface AgentTelling {
  run(signal: AbortSignal): Promise<void>;
  problems(): readonly Problem[];
}

const storeDeadlineMs = 5000;
/** An agent that is heard of first waits this long for what the store knows of it. */
const formerDeadlineMs = 2000;
/** So many agents are told of at one moment. */
const together = 8;
/** Clocks that differ by more are worth a word. */
const worthTellingMs = 5000;
const shortestPauseMs = 50;

export function createAgentTelling(parts: {
  readonly desk: AgentDesk;
  readonly cast: Nudge;
  /** Everything is looked at this often at least. */
  readonly intervalMs: number;
  readonly store: Store;
  readonly observers: () => readonly RegisteredObserver[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'agents'>;
}): AgentTelling {
  const { desk, cast, intervalMs, store, observers, clock, log, metrics } = parts;
  const streak = createStreak(log, "casting the agents' votes");
  const told = new Map<string, { readonly speaker: Speaker; at: number; isClockOff: boolean }>();
  let failure: string | undefined;

  const toldOf = ({ id: agent }: KnownAgent) => {
    const registered = () => observers()?.find(({ id }) => id === agent);
    const made = told.get(agent) ?? {
      speaker: createSpeaker({ store, agent, registered, clock, log }),
      at: Number.NEGATIVE_INFINITY,
      isClockOff: false,
    };
    if (!told.has(agent)) log.info({ agent }, 'an agent reports');
    told.set(agent, made);
    return made;
  };
  const drop = (agent: string) => {
    log.info({ agent }, 'nothing is heard of an agent any more');
    told.delete(agent);
    desk.drop(agent);
  };
  /** Says of one agent what is due. */
  async function tell(agent: KnownAgent, signal: AbortSignal): Promise<void> {
    if (agent.votes.sweep()) agent.isNews = true;
    const { speaker, ...last } = toldOf(agent);
    if (agent.votes.rosters().length === 0) {
      await speaker.withdraw(signal);
      // A report may have come meanwhile.
      return agent.votes.rosters().length === 0 ? drop(agent.id) : undefined;
    }
    const said = saidOf(agent);
    if (!agent.isNews && said.abstains === undefined && clock.monotonic() - last.at < said.ttlMs / 4) return;
    agent.isNews = false;
    try {
      await speaker.say(said, signal);
      toldOf(agent).at = clock.monotonic();
    } catch (error) {
      agent.isNews = true;
      throw error;
    }
    if (said.abstains !== undefined && !agent.votes.isHeard()) drop(agent.id);
  }
  function compareClocks(agent: KnownAgent): void {
    const known = toldOf(agent);
    const isOff = Math.abs(agent.offsetMs) > worthTellingMs;
    if (isOff === known.isClockOff) return;
    known.isClockOff = isOff;
    const facts = { agent: agent.id, offsetSeconds: Math.round(agent.offsetMs / 1000) };
    if (isOff) log.warn(facts, "an agent's clock differs from ours; its reports count nevertheless");
    else log.info(facts, "an agent's clock is right again");
  }
  async function pass(signal: AbortSignal): Promise<void> {
    const agents = desk.agents();
    try {
      for (let n = 0; n < agents.length; n += together) {
        const some = agents.slice(n, n + together);
        some.forEach(compareClocks);
        await withDeadline('The store, given votes of agents,', storeDeadlineMs, signal, (inner) =>
          Promise.all(some.map((agent) => tell(agent, inner))),
        );
      }
      failure = undefined;
      streak.worked();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HsdoError)) throw error;
      failure = describeError(error);
      streak.failed(failure);
    }
    metrics.agents.set(desk.agents().filter(({ votes }) => votes.isHeard()).length);
  }
  const pauseMs = () => {
    const expiries = desk.agents().map(({ votes }) => votes.nextExpiryAt());
    const next = expiries.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
    return Math.max(shortestPauseMs, Math.min(intervalMs, next - clock.monotonic()));
  };
  return {
    run: (signal) =>
      every({ name: 'votes of agents', intervalMs: pauseMs, clock, nudge: cast }, () => pass(signal), signal),
    problems: () => (failure === undefined ? [] : [{ part: 'votes of agents', message: failure }]),
  };
}

/** What stands to be said of an agent now. */
function saidOf({ votes, seenAt }: KnownAgent): Said {
  const of = votes.rosters().map(({ checked }) => checked.service.agents);
  return {
    ballot: votes.ballot(),
    ttlMs: Math.max(...of.map(({ freshSeconds }) => freshSeconds)) * 1000,
    isTransient: of.every(({ leave }) => leave === 'timeout'),
    ...(votes.isHeard() ? {} : { abstains: `it has reported nothing since ${new Date(seenAt).toISOString()}` }),
  };
}

/** What the store knows of an agent from before; a start, not a condition, so `undefined` where it does not answer. */
export async function formerVotes(
  {
    store,
    clock,
    log,
    agent,
  }: { readonly store: Store; readonly clock: Clock; readonly log: Log; readonly agent: string },
  signal: AbortSignal,
): Promise<Ballot | undefined> {
  const writer = createBallotWriter({ store, observer: agent, kind: 'agent', isTransient: true, ttlMs: 1000, clock });
  try {
    return await withDeadline('The store, asked for former votes,', formerDeadlineMs, signal, (inner) =>
      writer.former(inner),
    );
  } catch (error) {
    log.debug({ agent, reason: describeError(error) }, 'former votes of an agent cannot be read');
    return undefined;
  }
}
