import type { ProbeCode } from './probe.ts';

/** How ballots become a verdict: by how many of the electorate a target must be called up. */
export type Policy = 'any' | 'quorum' | 'all' | number;

export interface VoteRules {
  readonly policy: Policy;
  /** Who counts: everybody registered (a silent one's vote is missing), or only those who live, as dhaf has it. */
  readonly electorate: 'registered' | 'live';
  /** What a missing vote means: nothing, or (PyFailoverDNS) no. */
  readonly missing: 'undecided' | 'down';
}

/** What the cluster thinks of one target. */
export interface Verdict {
  /** `undecided` stands only for a target on which there never was a decision. */
  readonly health: 'up' | 'down' | 'undecided';
  /** True when this round's votes decided nothing and the earlier verdict stands. */
  readonly isKept: boolean;
  /** True while observers contradict each other, or votes are missing that could turn it. */
  readonly isInDoubt: boolean;
  /** Why it is down: the code of most of those who say so; `ok` otherwise. */
  readonly code: ProbeCode;
  readonly yes: number;
  readonly no: number;
  readonly missing: number;
  /** Votes for "up" that the policy demands. */
  readonly need: number;
}
