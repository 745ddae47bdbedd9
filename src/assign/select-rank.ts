import { byRank, type Selection } from './selection.ts';

/** Only those of the highest priority among the candidates, side by side (PyFailoverDNS's policy of that name). */
export const priority: Selection<'priority'> = (_rules, candidates, state) => {
  const highest = Math.max(...candidates.map((candidate) => candidate.priority ?? 0));
  return { picked: candidates.filter((candidate) => (candidate.priority ?? 0) === highest), state };
};

/**
 * One alone. The active target stays for as long as it is a candidate, unless one that ranks higher has been up for
 * `failbackSeconds`; without one the highest rank takes over. One that an operator requires comes before both. So there is no change without a cause: the active one is
 * gone, or a better one has proven itself. While nobody is a candidate the state remembers the last active one.
 */
export const activePassive: Selection<'active-passive'> = (rules, candidates, state, now) => {
  const ranking = byRank(candidates);
  const place = ranking.findIndex((candidate) => candidate.id === state.active);
  const isProven = (upSinceAt = Number.NEGATIVE_INFINITY) => now - upSinceAt >= rules.failbackSeconds * 1000;
  const better = rules.failback
    ? ranking.slice(0, Math.max(0, place)).find((one) => isProven(one.upSinceAt))
    : undefined;
  const required = ranking.find((candidate) => candidate.id === state.required);
  const active = required ?? better ?? ranking[Math.max(0, place)];
  return active === undefined ? { picked: [], state } : { picked: [active], state: { ...state, active: active.id } };
};
