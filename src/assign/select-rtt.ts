import { takeTurns } from './select-turns.ts';
import type { Candidate, Selection, SelectionRulesOf } from './selection.ts';

type RttRules = SelectionRulesOf<'best-rtt' | 'group-rtt-rr'>;

/** One that no check timed comes after all that were timed. */
function rttOf({ connectMs, totalMs }: Candidate, { rttMode }: RttRules): number {
  return (rttMode === 'connect' ? connectMs : totalMs) ?? Number.POSITIVE_INFINITY;
}

/** Those within the maximum, as har has it: whoever takes longer is none. The maximum judges only what was timed. */
function eligible(candidates: readonly Candidate[], rules: RttRules): readonly Candidate[] {
  const { maxRttMs = Number.POSITIVE_INFINITY } = rules;
  const isTooSlow = (rtt: number) => Number.isFinite(rtt) && rtt > maxRttMs;
  return candidates.filter((candidate) => !isTooSlow(rttOf(candidate, rules)));
}

/**
 * The fastest, the others behind it by their times, among equals the lowest slot first (har's `best_rtt`). There is no
 * inertia: whoever is fastest now answers now, and the times are smoothed where they are measured.
 */
export const bestRtt: Selection<'best-rtt'> = (rules, candidates, state) => {
  const timed = eligible(candidates, rules).map((candidate) => ({ candidate, rtt: rttOf(candidate, rules) }));
  // Two that were not timed are equal; their difference would be no number.
  const ranking = timed.sort((a, b) => (a.rtt === b.rtt ? 0 : a.rtt - b.rtt));
  return { picked: ranking.map(({ candidate }) => candidate), state };
};

/** Turns within the group of those that are at most `groupThresholdMs` slower than the fastest (har's `group_rtt_rr`); nobody else answers. */
export const groupRtt: Selection<'group-rtt-rr'> = (rules, candidates, state) => {
  const { groupThresholdMs = Number.POSITIVE_INFINITY } = rules;
  const able = eligible(candidates, rules);
  const slowest = Math.min(...able.map((candidate) => rttOf(candidate, rules))) + groupThresholdMs;
  return takeTurns(
    able.filter((candidate) => rttOf(candidate, rules) <= slowest),
    state,
  );
};
