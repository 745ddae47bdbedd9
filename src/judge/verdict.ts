import type { Observer, Vote } from '../model/ballot.ts';
import { type ProbeCode, probeCodes, type Role } from '../model/probe.ts';
import { endpointOf } from '../model/slot.ts';
import type { Target } from '../model/target.ts';
import type { Policy, Verdict, VoteRules } from '../model/verdict.ts';

/** The votes that count on one target. */
export interface Count {
  readonly yes: number;
  readonly no: number;
  /** Code of each "no", in any order. */
  readonly codes: readonly ProbeCode[];
}

/** What was decided before; a target that is new has none. */
export type Earlier = Pick<Verdict, 'health' | 'code'>;

/** A verdict with what the observers found besides. */
export interface TargetVerdict extends Verdict {
  /**
   * `primary` as soon as one of them sees one, whether up or not: whoever keeps primaries apart must know of every one, and
   * one that is not up yet proves already that the one before was left behind.
   */
  readonly role?: Role;
  /** The highest that is told for that role. */
  readonly timeline?: number;
  /** Median over the observers who say "up", milliseconds. */
  readonly connectMs?: number;
  readonly totalMs?: number;
}

/** Votes for "up" that a policy demands of `n` voters. A number above `n` means all of them: else more could never be up. */
export function neededVotes(policy: Policy, n: number): number {
  switch (policy) {
    case 'any':
      return 1;
    case 'quorum':
      return Math.floor(n / 2) + 1;
    case 'all':
      return Math.max(1, n);
    default:
      return Math.max(1, Math.min(policy, n));
  }
}

/**
 * What the cluster makes of the votes on one target. Pure.
 *
 * | votes                                                  | verdict                                          |
 * | ------------------------------------------------------ | ------------------------------------------------ |
 * | yes >= need                                            | up                                               |
 * | yes + missing < need                                   | down                                             |
 * | else, or nobody watches                                | undecided: the earlier verdict stands            |
 * | quorum, and fewer voters than a majority of the electorate | never down, whatever `missing` means         |
 *
 * With `missing: down` a missing vote is a no (PyFailoverDNS: silence is down), once there was a decision: who has just begun to
 * ask has not fallen silent, and a first list must not begin with everything down. The guard on quorum stays even then: a
 * cluster most of which is silent knows too little to take anything away.
 *
 * @param registered - Observers that are registered for the service.
 * @param live - Those of them that are fresh and do not abstain.
 */
export function tally(
  { yes, no, codes }: Count,
  registered: number,
  live: number,
  rules: VoteRules,
  earlier: Earlier | undefined,
): Verdict {
  const n = rules.electorate === 'live' ? live : registered;
  const missing = Math.max(0, n - yes - no);
  const need = neededVotes(rules.policy, n);
  const isSilenceNo = rules.missing === 'down' && earlier !== undefined && earlier.health !== 'undecided';
  const possible = isSilenceNo ? yes : yes + missing;
  const mayTake = n > 0 && (rules.policy !== 'quorum' || yes + no >= need);
  const decided = yes >= need ? 'up' : possible < need && mayTake ? 'down' : undefined;
  const health = decided ?? earlier?.health ?? 'undecided';
  const couldTurn = decided === undefined || (decided === 'down' && yes + missing >= need);
  return {
    health,
    isKept: decided === undefined && health !== 'undecided',
    isInDoubt: couldTurn || (yes > 0 && no > 0),
    // Silence alone has no code of its own; what was said before is kept with the verdict.
    code: health === 'down' ? (mostOf(codes) ?? (decided ? undefined : earlier?.code) ?? 'error') : 'ok',
    yes,
    no,
    missing,
    need,
  };
}

/** The code that stands there most often; of several the first in the list of codes, so that the order of observers decides nothing. */
function mostOf(codes: readonly ProbeCode[]): ProbeCode | undefined {
  const counts = new Map<ProbeCode, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return probeCodes.find((code) => counts.get(code) === most);
}

/**
 * The verdict on every target of a service. The votes of observers that are stale or abstain are missing, and so are
 * those about another address than the target has now. Pure.
 *
 * @param targets - Every target that the service knows, whoever votes on it.
 * @param earlier - By the target's id, as published last.
 */
export function tallyService(
  observers: readonly Observer[],
  service: string,
  targets: Iterable<Target>,
  rules: VoteRules,
  earlier: ReadonlyMap<string, Earlier>,
): ReadonlyMap<string, TargetVerdict> {
  const registered = observers.filter((observer) => observer.services.includes(service));
  const live = registered.filter((observer) => observer.isFresh && observer.abstains === undefined);
  const ballots = live.flatMap((observer) => observer.ballot.services.get(service) ?? []);
  const verdicts = new Map<string, TargetVerdict>();
  for (const target of targets) {
    const { id } = target;
    const endpoint = endpointOf(target);
    const isAbout = ({ about = endpoint }: Vote) => about === endpoint;
    const votes = ballots.flatMap((ballot) => ballot.get(id) ?? []).filter(isAbout);
    const yes = votes.filter((vote) => vote.health === 'up');
    const no = votes.filter((vote) => vote.health === 'down');
    const count = { yes: yes.length, no: no.length, codes: no.map((vote) => vote.code) };
    verdicts.set(id, {
      ...tally(count, registered.length, live.length, rules, earlier.get(id)),
      ...rolesOf(votes),
      ...timesOf(yes),
    });
  }
  return verdicts;
}

function rolesOf(votes: readonly Vote[]): Pick<TargetVerdict, 'role' | 'timeline'> {
  const told = votes.flatMap((vote) => vote.role ?? []);
  const role = told.includes('primary') ? 'primary' : told[0];
  const timelines = votes.flatMap((vote) => (vote.role === role ? (vote.timeline ?? []) : []));
  return {
    ...(role === undefined ? {} : { role }),
    ...(timelines.length === 0 ? {} : { timeline: Math.max(...timelines) }),
  };
}

function timesOf(votes: readonly Vote[]): Pick<TargetVerdict, 'connectMs' | 'totalMs'> {
  const connectMs = median(votes.flatMap((vote) => vote.connectMs ?? []));
  const totalMs = median(votes.flatMap((vote) => vote.totalMs ?? []));
  return { ...(connectMs === undefined ? {} : { connectMs }), ...(totalMs === undefined ? {} : { totalMs }) };
}

/** The middle one; of an even number the lower of the two, so that it is a time that somebody measured. */
function median(times: readonly number[]): number | undefined {
  return [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) / 2)];
}
