import type { Candidate, Selected, Selection, SelectionState } from './selection.ts';

/**
 * Whoever follows the one that had the last turn, the others behind it in the order of their turns. With a stable set everybody is
 * first equally often, within one. When the last one has left, its turn passes to the one that moved up to its place.
 */
export function takeTurns(candidates: readonly Candidate[], state: SelectionState): Selected {
  const last = candidates.findIndex((candidate) => candidate.id === state.turn?.id);
  const next = last === -1 ? (state.turn?.place ?? 0) : last + 1;
  const place = next < candidates.length ? next : 0;
  const picked = [...candidates.slice(place), ...candidates.slice(0, place)];
  const [first] = picked;
  return first === undefined ? { picked, state } : { picked, state: { ...state, turn: { id: first.id, place } } };
}

export const roundRobin: Selection<'round-robin'> = (_rules, candidates, state) => takeTurns(candidates, state);

/**
 * Smooth weighted round-robin, as in nginx's upstream module: each candidate earns its weight with every answer, who has
 * earned most answers and pays what all earned together. The shares are exact over the sum of the weights, and a heavy
 * one does not answer in bursts. One of weight 0 never answers.
 */
export const weighted: Selection<'weighted'> = (_rules, candidates, state) => {
  const eligible = candidates.filter((candidate) => candidate.weight > 0);
  const total = eligible.reduce((sum, candidate) => sum + candidate.weight, 0);
  const earned = eligible.map((candidate) => ({
    candidate,
    credit: (state.credits?.get(candidate.id) ?? 0) + candidate.weight,
  }));
  const ranking = earned.sort((a, b) => b.credit - a.credit);
  const credits = new Map(
    ranking.map(({ candidate, credit }, place) => [candidate.id, place === 0 ? credit - total : credit]),
  );
  return { picked: ranking.map(({ candidate }) => candidate), state: { ...state, credits } };
};
