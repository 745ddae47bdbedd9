import type { DrainingSlot, FreeSlot, Override, Slot, TakenSlot } from '../model/slot.ts';
import { isSameTarget, type Target } from '../model/target.ts';
import type { ListRules } from './rules.ts';
import { fullWeight, rampWeight } from './weight.ts';

/** The list with `size` slots at least; existing ones are kept as they are. */
export function growTo(slots: readonly Slot[], size: number): readonly Slot[] {
  if (slots.length >= size) return slots;
  const added = Array.from(
    { length: size - slots.length },
    (_, n): FreeSlot => ({ state: 'free', index: slots.length + n + 1 }),
  );
  return [...slots, ...added];
}

/**
 * The list cut down to `size`, unless a slot beyond it is occupied: nobody is moved or dropped for a smaller list,
 * so it keeps its length until those slots are free. `blockedBy` names them.
 */
export function shrinkTo(
  slots: readonly Slot[],
  size: number,
): { readonly slots: readonly Slot[]; readonly blockedBy: readonly number[] } {
  const blockedBy = slots.filter((slot) => slot.index > size && slot.state !== 'free').map((slot) => slot.index);
  return blockedBy.length > 0 ? { slots, blockedBy } : { slots: slots.slice(0, size), blockedBy };
}

/** Free slots up to `size` in the order in which newcomers get them: never used ones first, then those left longest ago, so that whoever returns most likely finds its own still free. */
export function vacancies(slots: readonly Slot[], size: number): readonly FreeSlot[] {
  return slots
    .filter((slot): slot is FreeSlot => slot.state === 'free' && slot.index <= size)
    .sort((a, b) => (a.last?.leftAt ?? 0) - (b.last?.leftAt ?? 0) || a.index - b.index);
}

const withOverride = (override: Override | undefined) => (override === undefined ? {} : { override });

/** A slot at the moment a target arrives in it; the ramp begins. */
export function settle(
  index: number,
  target: Target,
  at: { readonly now: number; readonly isFirstList: boolean; readonly override: Override | undefined },
  rules: ListRules,
): TakenSlot {
  const full = fullWeight(target, rules.ramp);
  const weight = at.isFirstList && rules.ramp.first === 'max' ? full : Math.min(rules.ramp.min, full);
  return { state: 'taken', index, target, joinedAt: at.now, weight, ...withOverride(at.override) };
}

/** A slot whose target is still, or again, reported: same slot, same ramp. Where nothing differs it is the very same object, so that everything after this stage sees at a glance what changed. */
export function stay(
  slot: TakenSlot | DrainingSlot,
  target: Target,
  at: { readonly now: number; readonly override: Override | undefined },
  rules: ListRules,
): TakenSlot {
  const since = { joinedAt: slot.joinedAt, now: at.now, previous: slot.weight };
  const { health, out }: Pick<TakenSlot, 'health' | 'out'> = slot.state === 'taken' ? slot : {};
  // The ramp of a newcomer that was never seen up has not begun.
  const weight =
    out === 'new' ? Math.min(slot.weight, fullWeight(target, rules.ramp)) : rampWeight(target, since, rules.ramp);
  const isUnchanged =
    slot.state === 'taken' &&
    slot.weight === weight &&
    slot.override === at.override &&
    isSameTarget(slot.target, target);
  if (isUnchanged) return slot;
  return {
    state: 'taken',
    index: slot.index,
    target,
    joinedAt: slot.joinedAt,
    weight,
    ...withOverride(at.override),
    ...(health === undefined ? {} : { health }),
    ...(out === undefined ? {} : { out }),
  };
}

/** A slot whose target left: it drains, or is free at once where no drain time is configured. */
export function leave(slot: TakenSlot, now: number, drainMs: number): Slot {
  const { index, target, joinedAt, weight } = slot;
  const draining: DrainingSlot = { state: 'draining', index, target, joinedAt, weight, drainUntil: now + drainMs };
  return endDrain(draining, now);
}

/** The slot, freed when its drain time is over. It remembers who lived there. */
export function endDrain(slot: DrainingSlot, now: number): Slot {
  if (now < slot.drainUntil) return slot;
  const { id, address, port } = slot.target;
  return {
    state: 'free',
    index: slot.index,
    last: { id, address, ...(port === undefined ? {} : { port }), leftAt: now },
  };
}
