import type { Slot, TakenSlot } from '../model/slot.ts';
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
    | 'up'
    | 'down'
    | 'in'
    | 'out'
    | 'active'
    | 'switchover'
    | 'switchover over'
    | 'panic'
    | 'panic over'
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
  return [...decisions, ...serviceChanges(before, after)];
}

/** What the verdicts mean for the service as a whole. */
function serviceChanges(before: Desired | undefined, after: Desired): Decision[] {
  const decisions: Decision[] = [];
  if (after.panic && after.panic.serves !== before?.panic?.serves) {
    decisions.push({ event: 'panic', to: [after.panic.serves, ...(after.panic.fallback ?? [])].join(' ') });
  }
  if (before?.panic && !after.panic) decisions.push({ event: 'panic over' });
  if (after.active !== before?.active) {
    decisions.push({ event: 'active', from: before?.active ?? 'none', to: after.active ?? 'none' });
  }
  return [...decisions, ...switchoverChanges(before?.switchover, after.switchover)];
}

/** What became of an operator's wish for the active target. */
function switchoverChanges(before: Desired['switchover'], after: Desired['switchover']): Decision[] {
  if (after === undefined || (after.token === before?.token && after.ended === before.ended)) return [];
  const { targetName: target, by, ended, endedBy = by } = after;
  if (ended === undefined) return [{ event: 'switchover', target, to: `as ${by} asked` }];
  if (before?.ended !== undefined && before.targetId === after.targetId) return [];
  return [{ event: 'switchover over', target, to: ended === 'purged' ? `purged by ${endedBy}` : ended }];
}

function slotChanges(was: Slot | undefined, is: Slot): Decision[] {
  const at = { slot: is.index };
  if (is.state === 'free')
    return was === undefined || was.state === 'free' ? [] : [{ event: 'freed', ...at, target: nameOf(was) ?? '' }];
  const target = is.target.name;
  if (is.state === 'draining') return was?.state === 'draining' ? [] : [{ event: 'draining', ...at, target }];
  if (was === undefined || was.state === 'free' || was.target.id !== is.target.id) {
    return [
      { event: 'placed', ...at, target, to: is.target.address },
      ...healthChanges(undefined, is),
      ...overrideChange(was, is, target),
    ];
  }
  const decisions: Decision[] = was.state === 'draining' ? [{ event: 'returned', ...at, target }] : [];
  if (was.target.address !== is.target.address)
    decisions.push({ event: 'moved address', ...at, target, from: was.target.address, to: is.target.address });
  if (was.weight !== is.weight) decisions.push({ event: 'weight', ...at, target, from: was.weight, to: is.weight });
  return [...decisions, ...healthChanges(was, is), ...overrideChange(was, is, target)];
}

/** A verdict that turned; else why the target is in or out although it did not, such as a standby or a panic. */
function healthChanges(was: Slot | undefined, is: TakenSlot): Decision[] {
  const before = was?.state === 'taken' ? was : undefined;
  const at = { slot: is.index, target: is.target.name };
  const [from, to] = [before?.health?.verdict ?? 'undecided', is.health?.verdict ?? 'undecided'];
  if (from !== to && to === 'down') return [{ event: 'down', ...at, to: is.health?.code ?? 'error' }];
  if (from !== to && to === 'up') return [{ event: 'up', ...at, from: before?.health?.code ?? 'ok' }];
  if (before?.out === is.out) return [];
  if (is.out === undefined) return before ? [{ event: 'in', ...at, from: before.out ?? 'none' }] : [];
  return is.out === 'new' ? [] : [{ event: 'out', ...at, to: is.out }];
}

function overrideChange(was: Slot | undefined, is: Slot, target: string): Decision[] {
  const [from, to] = [overrideOf(was), overrideOf(is)];
  return from === to ? [] : [{ event: 'override', slot: is.index, target, from, to }];
}
