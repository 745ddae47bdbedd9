import type { ProbeCode, Role } from './probe.ts';

/** What one observer thinks of one target. A target that it knows nothing about has no vote: missing is not "no". */
export interface Vote {
  readonly health: 'up' | 'down';
  /**
   * Which place was asked, as `endpointOf` writes it: the id of a target outlives a move to another address, and an observer may
   * learn of that later than others. Absent in votes of observers that do not tell it.
   */
  readonly about?: string;
  /** Code of the last probe that counted; `ok` for up. */
  readonly code: ProbeCode;
  /** When this opinion began, wall-clock milliseconds of the observer. */
  readonly sinceAt: number;
  /** Smoothed, whole milliseconds or a tenth below ten. */
  readonly connectMs?: number;
  readonly totalMs?: number;
  readonly role?: Role;
  readonly timeline?: number;
}

/** All current votes of one observer about one service, by the target's id. */
export type Votes = ReadonlyMap<string, Vote>;

/** Everything that one observer says at the moment: its votes by service. Only services that it watches are there. */
export interface Ballot {
  /** Node id of a server, or an agent's id. */
  readonly observer: string;
  readonly services: ReadonlyMap<string, Votes>;
}

/** A registered observer as the leader sees it. */
export interface Observer {
  readonly id: string;
  /** False once its record has not moved for its time to live, by the reader's own clock; its votes are then missing. */
  readonly isFresh: boolean;
  /** Names of the services that it watches. */
  readonly services: readonly string[];
  /** Why it casts no votes although it lives, such as a way out that is down. */
  readonly abstains?: string;
  readonly ballot: Ballot;
}

/** The same vote, but for the times of the probes, which move with every one of them. */
export function isSameOpinion(one: Vote, other: Vote): boolean {
  return (
    one.health === other.health &&
    one.about === other.about &&
    one.code === other.code &&
    one.sinceAt === other.sinceAt &&
    one.role === other.role &&
    one.timeline === other.timeline
  );
}

/** True when nothing about the vote differs. */
export function isSameVote(one: Vote, other: Vote): boolean {
  return isSameOpinion(one, other) && one.connectMs === other.connectMs && one.totalMs === other.totalMs;
}
