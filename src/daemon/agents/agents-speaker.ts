import type { Ballot } from '../../model/ballot.ts';
import { hasCode } from '../../model/error.ts';
import type { RegisteredObserver } from '../../publish/ballot-reader.ts';
import { type BallotWriter, createBallotWriter } from '../../publish/ballot-writer.ts';
import type { Store } from '../../store/store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Clock } from '../../time/clock.ts';

/** What is to stand in the store of one agent. */
export interface Said {
  readonly ballot: Ballot;
  /** Longest time for which any of its services counts a report. */
  readonly ttlMs: number;
  /** Leaves the electorate by itself; with one service that wants a decommission it does not. */
  readonly isTransient: boolean;
  /** Why it casts no votes although it is registered. */
  readonly abstains?: string;
}

/** One agent's hand in the store, where this server is the one that speaks for it. */
export interface Speaker {
  /** Resolves with false where another server speaks for the agent. Throws as the store does. */
  say(said: Said, signal: AbortSignal): Promise<boolean>;
  /** Takes the agent off the electorate, unless another server speaks for it. */
  withdraw(signal: AbortSignal): Promise<void>;
}

/**
 * An agent may report to all servers, and one of them is enough to tell the others. Who finds that another one has written
 * falls silent, and speaks again when that one does not any more, or says that it hears nothing of the agent.
 */
export function createSpeaker(options: {
  readonly store: Store;
  readonly agent: string;
  /** What the electorate knows of the agent at the moment. */
  readonly registered: () => RegisteredObserver | undefined;
  readonly clock: Clock;
  readonly log: Log;
}): Speaker {
  const { store, agent, registered, clock, log } = options;
  let hand: { readonly writer: BallotWriter; readonly ttlMs: number; readonly isTransient: boolean } | undefined;
  let isOvertaken = false;

  const handFor = ({ ttlMs, isTransient }: Said) => {
    if (hand?.ttlMs !== ttlMs || hand.isTransient !== isTransient) {
      const writer = createBallotWriter({ store, observer: agent, kind: 'agent', isTransient, ttlMs, clock });
      hand = { writer, ttlMs, isTransient };
    }
    return hand.writer;
  };
  const isSpokenFor = () => {
    const observer = registered();
    return observer?.isFresh === true && observer.abstains === undefined;
  };
  return {
    async say(said, signal) {
      if (isOvertaken && isSpokenFor()) return false;
      const { ballot, abstains } = said;
      // That nothing is heard of it is not worth taking the word from somebody.
      if (isOvertaken && abstains !== undefined) return false;
      isOvertaken = false;
      const registration = { services: [...ballot.services.keys()], ...(abstains === undefined ? {} : { abstains }) };
      try {
        await handFor(said).cast(ballot, registration, signal);
        return true;
      } catch (error) {
        if (!hasCode(error, 'conflict')) throw error;
        isOvertaken = true;
        log.info({ agent }, 'another server tells what this agent reports; this one is silent meanwhile');
        return false;
      }
    },
    async withdraw(signal) {
      if (!isOvertaken) await hand?.writer.withdraw(signal);
    },
  };
}
