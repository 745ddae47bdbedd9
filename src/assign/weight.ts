import type { Target } from '../model/target.ts';
import type { RampRules } from './rules.ts';

/** Weight at the end of the ramp: the target's own where its source names one. */
export function fullWeight(target: Target, rules: RampRules): number {
  return target.weight ?? rules.max;
}

/**
 * Weight on the ramp at `now`: `min`, plus `increase` for every whole interval since `joinedAt`, up to the full
 * weight. It never falls below `previous` while the full weight allows, so a clock that is set back, or another
 * leader's clock, cannot take traffic away from a target.
 */
export function rampWeight(
  target: Target,
  at: { readonly joinedAt: number; readonly now: number; readonly previous: number },
  rules: RampRules,
): number {
  const full = fullWeight(target, rules);
  const steps = Math.max(0, Math.floor((at.now - at.joinedAt) / rules.intervalMs));
  const grown = rules.min + rules.increase * steps;
  return Math.min(full, Math.max(grown, at.previous));
}
