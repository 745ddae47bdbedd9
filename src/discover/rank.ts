import type { Target } from '../model/target.ts';

/**
 * Targets that a person wrote down in order, for a service of which one is active at a time: the first is the one that is
 * meant (dhaf: the order of the entry points is their priority). Slots alone could not tell: one that is put before
 * the others later gets the next free slot. A list in which any target has a priority is left as it is.
 */
export function rankByOrder(targets: readonly Target[]): readonly Target[] {
  if (targets.some(({ priority }) => priority !== undefined)) return targets;
  return targets.map((target, n) => ({ ...target, priority: targets.length - n }));
}
