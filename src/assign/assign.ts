import type { DrainingSlot, Override, Slot, TakenSlot } from '../model/slot.ts';
import type { Desired, Hold } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import { type Absences, countAbsences, guard, type Step } from './guard.ts';
import { type Match, matchTargets } from './match.ts';
import type { ListRules } from './rules.ts';
import { endDrain, growTo, leave, settle, shrinkTo, stay, vacancies } from './slots.ts';

/** Everything that one step of assignment depends on. */
export interface AssignInput {
  readonly service: string;
  /** The list as published last; empty for a new service. */
  readonly slots: readonly Slot[];
  readonly hold: Hold | undefined;
  /** What all sources together report. */
  readonly targets: readonly Target[];
  /** False while a source was never read: then nobody leaves. */
  readonly isComplete: boolean;
  /** True when every source was read again since the step before. */
  readonly isNewRead: boolean;
  readonly absences: Absences;
  readonly overrides: ReadonlyMap<string, Override>;
  /** Token of the hold that an operator released. */
  readonly releasedToken: string | undefined;
  /** Wall clock, milliseconds. */
  readonly now: number;
  readonly rules: ListRules;
}

export interface Assignment {
  readonly desired: Desired;
  readonly absences: Absences;
  /** Slots that keep the list longer than configured. */
  readonly shrinkBlockedBy: readonly number[];
}

/**
 * One step of a service's list: who stays, leaves, returns and arrives. Pure: same input, same answer.
 *
 * | slot     | its target                  | becomes                                    |
 * | -------- | --------------------------- | ------------------------------------------ |
 * | taken    | reported                    | taken, weight along the ramp               |
 * | taken    | absent, guard lets go       | draining                                   |
 * | taken    | absent, guard holds         | taken                                      |
 * | draining | reported again              | taken, ramp goes on where it was           |
 * | draining | absent, time not over       | draining                                   |
 * | draining | absent, time over           | free, remembers its tenant                 |
 * | free     | its last tenant is reported | taken, ramp from the start                 |
 * | free     | a newcomer needs a slot     | taken, ramp from the start                 |
 */
export function assign(input: AssignInput): Assignment {
  const { rules, now } = input;
  const grown = growTo(input.slots, rules.size);
  const match = matchTargets(grown, input.targets, rules.size);
  const step = describeStep(grown, match, input);
  const absences = input.isComplete ? countAbsences(input.absences, step.absent, input.isNewRead) : input.absences;
  const verdict = input.isComplete
    ? guard(step, { absences, hold: input.hold, releasedToken: input.releasedToken, now }, rules.guard)
    : { leaving: new Set<number>(), hold: input.hold };

  const isFirstList = grown.every((slot) => slot.state === 'free' && slot.last === undefined);
  const kept = grown.map((slot) => nextState(slot, match.bySlot.get(slot.index), verdict.leaving, isFirstList, input));
  const placed = placeHomeless(kept, match.homeless, isFirstList, input);
  const { slots, blockedBy } = shrinkTo(placed.slots, rules.size);
  const desired: Desired = {
    service: input.service,
    slots,
    unplaced: placed.unplaced,
    ...(verdict.hold === undefined ? {} : { hold: verdict.hold }),
  };
  return { desired, absences, shrinkBlockedBy: blockedBy };
}

function describeStep(slots: readonly Slot[], match: Match, input: AssignInput): Step {
  const taken = slots.filter((slot): slot is TakenSlot => slot.state === 'taken');
  const draining = slots.filter(
    (slot): slot is DrainingSlot => slot.state === 'draining' && !match.bySlot.has(slot.index),
  );
  const staying = taken.filter((slot) => match.bySlot.has(slot.index));
  const recent = staying.filter((slot) => slot.joinedAt > input.now - input.rules.drainMs).length;
  return {
    absent: taken.filter((slot) => !match.bySlot.has(slot.index)),
    staying,
    draining: draining.length,
    arrived: recent + match.homeless.length,
    reported: input.targets.length,
  };
}

function nextState(
  slot: Slot,
  target: Target | undefined,
  leaving: ReadonlySet<number>,
  isFirstList: boolean,
  { now, rules, overrides }: AssignInput,
): Slot {
  const override = target ? overrides.get(target.id) : undefined;
  switch (slot.state) {
    case 'free':
      return target ? settle(slot.index, target, { now, isFirstList, override }, rules) : slot;
    case 'draining':
      if (!target) return endDrain(slot, now);
      return isSameMachine(slot.target, target)
        ? stay(slot, target, { now, override }, rules)
        : settle(slot.index, target, { now, isFirstList, override }, rules);
    case 'taken':
      if (target && isSameMachine(slot.target, target)) return stay(slot, target, { now, override }, rules);
      if (target) return settle(slot.index, target, { now, isFirstList, override }, rules);
      if (leaving.has(slot.index)) return leave(slot, now, rules.drainMs);
      return stay(slot, slot.target, { now, override: overrides.get(slot.target.id) }, rules);
  }
}

/** The same machine: by id, or (a row that HSDO wrote) by the name it goes by. An address alone may have passed to a newcomer. */
function isSameMachine(before: Target, after: Target): boolean {
  return before.id === after.id || before.name === after.name;
}

function placeHomeless(slots: readonly Slot[], homeless: readonly Target[], isFirstList: boolean, input: AssignInput) {
  const free = vacancies(slots, input.rules.size);
  const next = [...slots];
  homeless.slice(0, free.length).forEach((target, n) => {
    const index = free[n]?.index;
    if (index === undefined) return;
    const at = { now: input.now, isFirstList, override: input.overrides.get(target.id) };
    next[index - 1] = settle(index, target, at, input.rules);
  });
  return { slots: next, unplaced: homeless.slice(free.length).map((target) => target.name) };
}
