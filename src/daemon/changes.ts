import type { Slot } from '../model/slot.ts';
import type { Desired } from '../model/snapshot.ts';

/** One decision as a person wants to read it. */
export interface Decision {
  readonly event:
    | 'placed'
    | 'draining'
    | 'freed'
    | 'returned'
    | 'moved address'
    | 'override'
    | 'weight'
    | 'unplaced'
    | 'holding'
    | 'released';
  readonly slot?: number;
  readonly target?: string;
  readonly from?: string | number;
  readonly to?: string | number;
}

const nameOf = (slot: Slot | undefined) => (slot === undefined || slot.state === 'free' ? undefined : slot.target.name);
const overrideOf = (slot: Slot | undefined) => (slot?.state === 'taken' ? (slot.override ?? 'none') : 'none');

/** What differs between two lists, one entry a decision: the log tells transitions, not rounds. */
export function describeChanges(before: Desired | undefined, after: Desired): readonly Decision[] {
  const decisions = after.slots.flatMap((slot) => slotChanges(before?.slots[slot.index - 1], slot));
  const wasUnplaced = new Set(before?.unplaced);
  for (const target of after.unplaced) if (!wasUnplaced.has(target)) decisions.push({ event: 'unplaced', target });
  if (after.hold && after.hold.token !== before?.hold?.token) {
    decisions.push({
      event: 'holding',
      to: after.hold.targets.length,
      target: after.hold.targets.slice(0, 10).join(', '),
    });
  }
  if (before?.hold && !after.hold) decisions.push({ event: 'released' });
  return decisions;
}

function slotChanges(was: Slot | undefined, is: Slot): Decision[] {
  const at = { slot: is.index };
  if (is.state === 'free')
    return was === undefined || was.state === 'free' ? [] : [{ event: 'freed', ...at, target: nameOf(was) ?? '' }];
  const target = is.target.name;
  if (is.state === 'draining') return was?.state === 'draining' ? [] : [{ event: 'draining', ...at, target }];
  if (was === undefined || was.state === 'free' || was.target.id !== is.target.id) {
    return [{ event: 'placed', ...at, target, to: is.target.address }, ...overrideChange(was, is, target)];
  }
  const decisions: Decision[] = was.state === 'draining' ? [{ event: 'returned', ...at, target }] : [];
  if (was.target.address !== is.target.address)
    decisions.push({ event: 'moved address', ...at, target, from: was.target.address, to: is.target.address });
  if (was.weight !== is.weight) decisions.push({ event: 'weight', ...at, target, from: was.weight, to: is.weight });
  return [...decisions, ...overrideChange(was, is, target)];
}

function overrideChange(was: Slot | undefined, is: Slot, target: string): Decision[] {
  const [from, to] = [overrideOf(was), overrideOf(is)];
  return from === to ? [] : [{ event: 'override', slot: is.index, target, from, to }];
}
