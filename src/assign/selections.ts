import { activePassive, priority } from './select-rank.ts';
import { bestRtt, groupRtt } from './select-rtt.ts';
import { roundRobin, weighted } from './select-turns.ts';
import type { Candidate, Selected, Selection, SelectionKind, SelectionRulesOf, SelectionState } from './selection.ts';

/** Every candidate, in the order of the slots. */
const all: Selection<'all'> = (_rules, candidates, state) => ({ picked: candidates, state });

/** The kinds of selection. */
export const selections: { readonly [K in SelectionKind]: Selection<K> } = {
  all,
  'round-robin': roundRobin,
  weighted,
  priority,
  'active-passive': activePassive,
  'best-rtt': bestRtt,
  'group-rtt-rr': groupRtt,
};

/** Chooses by the kind that the rules name. Pure; the state that it returns goes into the next call. */
export function select<K extends SelectionKind>(
  rules: SelectionRulesOf<K>,
  candidates: readonly Candidate[],
  state: SelectionState,
  now: number,
): Selected {
  return selections[rules.kind](rules, candidates, state, now);
}
