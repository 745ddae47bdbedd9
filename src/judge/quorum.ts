import type { Observer } from '../model/ballot.ts';
import type { VoteRules } from '../model/verdict.ts';
import { neededVotes } from './verdict.ts';

/** Whether enough of those who should vote on a service do. */
export interface Quorum {
  /** Observers that are counted on: those registered for the service, or with `electorate: live` those who vote now. */
  readonly registered: number;
  /** Those of them that are fresh and do not abstain. */
  readonly voting: number;
  /** The majority of those registered. */
  readonly needed: number;
  /** False: too few vote, so whatever they say is not the word of the cluster. Nobody at all is too few. */
  readonly isMet: boolean;
}

/** Counts who votes on one service, whichever policy weighs the votes. Pure. */
export function quorumOf(
  observers: readonly Observer[],
  service: string,
  { electorate }: Pick<VoteRules, 'electorate'>,
): Quorum {
  const watching = observers.filter(({ services }) => services.includes(service));
  const voting = watching.filter(({ isFresh, abstains }) => isFresh && abstains === undefined).length;
  const registered = electorate === 'live' ? voting : watching.length;
  const needed = neededVotes('quorum', registered);
  return { registered, voting, needed, isMet: voting >= needed };
}
