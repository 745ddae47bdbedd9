import { describe, expect, it } from 'vitest';
import { type AssignInput, assign } from '../../../src/assign/assign.ts';
import type { Slot } from '../../../src/model/slot.ts';
import { assignInput, listRules, show, startAt, taken, target, targets } from '../../fixtures/lists.ts';

/** Runs one step after the other, each `afterMs` later, on top of the list that the one before left. */
function story(...steps: readonly (Partial<AssignInput> & { afterMs?: number })[]) {
  let input = assignInput();
  let now = startAt;
  const lists: string[] = [];
  let last = assign(input);
  for (const { afterMs = 0, ...step } of steps) {
    now += afterMs;
    input = assignInput({ slots: last.desired.slots, hold: last.desired.hold, absences: last.absences, ...step, now });
    last = assign(input);
    lists.push(show(last.desired.slots));
  }
  return { lists, last };
}

describe('assign', () => {
  it('places newcomers in the order of the list, so that the first of it ranks first', () => {
    const { lists } = story({ targets: targets('t3', 't1', 't2') });
    expect(lists).toEqual(['1:t3 2:t1 3:t2 4:- 5:-']);
  });

  it('moves nobody when one leaves and a newcomer arrives', () => {
    const { lists } = story(
      { targets: targets('t1', 't2', 't3') },
      { targets: targets('t1', 't3'), afterMs: 1000 },
      { targets: targets('t1', 't3', 't4'), afterMs: 1000 },
    );
    expect(lists.at(-1)).toBe('1:t1 2:(t2) 3:t3 4:t4 5:-');
  });

  it('frees a slot only when its drain time is over', () => {
    const gone = { targets: targets('t1', 't2') };
    const { lists } = story(
      { targets: targets('t1', 't2', 't3') },
      gone,
      { ...gone, afterMs: 29_999 },
      { ...gone, afterMs: 1 },
    );
    expect(lists.slice(1)).toEqual(['1:t1 2:t2 3:(t3) 4:- 5:-', '1:t1 2:t2 3:(t3) 4:- 5:-', '1:t1 2:t2 3:- 4:- 5:-']);
  });

  it('frees a slot at once where no drain time is configured', () => {
    const rules = listRules({ drainMs: 0 });
    const { lists } = story({ targets: targets('t1', 't2'), rules }, { targets: targets('t1'), rules });
    expect(lists.at(-1)).toBe('1:t1 2:- 3:- 4:- 5:-');
  });

  it('gives a target that returns its own slot back although a lower one is free', () => {
    const rules = listRules({ drainMs: 0, size: 6 });
    const { lists } = story(
      { targets: targets('t1', 't2', 't3', 't4'), rules },
      { targets: targets('t1', 't3', 't4'), rules },
      { targets: targets('t1', 't4'), rules },
      { targets: targets('t1', 't3', 't4', 't5'), rules },
    );
    expect(lists.at(-1)).toBe('1:t1 2:- 3:t3 4:t4 5:t5 6:-');
  });

  it('lets a target that returns while draining go on with its ramp', () => {
    const slots: Slot[] = [
      taken(1, target('t1')),
      taken(2, target('t2'), { weight: 4, joinedAt: startAt - 90_000 }),
      taken(3, target('t3')),
    ];
    const { last } = story(
      { slots, targets: targets('t1', 't3') },
      { targets: targets('t1', 't2', 't3'), afterMs: 10_000 },
    );
    expect(last.desired.slots[1]).toMatchObject({ state: 'taken', joinedAt: startAt - 90_000, weight: 4 });
  });

  it('names every target for which no slot is free, and places it when one is', () => {
    const rules = listRules({ size: 2, drainMs: 0 });
    const { last, lists } = story({ targets: targets('t1', 't2', 't3', 't4'), rules });
    expect(last.desired.unplaced).toEqual(['t3', 't4']);
    const next = story(
      { targets: targets('t1', 't2', 't3', 't4'), rules },
      { targets: targets('t1', 't3', 't4'), rules },
    );
    expect([lists[0], next.lists[1]]).toEqual(['1:t1 2:t2', '1:t1 2:t3']);
    expect(next.last.desired.unplaced).toEqual(['t4']);
  });

  it('adds slots when the list grows', () => {
    const { lists } = story({ targets: targets('t1') }, { targets: targets('t1'), rules: listRules({ size: 7 }) });
    expect(lists.at(-1)).toBe('1:t1 2:- 3:- 4:- 5:- 6:- 7:-');
  });

  it('keeps its length while slots beyond a smaller size are occupied, says which, and gives those to nobody new', () => {
    const small = listRules({ size: 2, drainMs: 0 });
    const { last } = story(
      { targets: targets('t1', 't2', 't3', 't4') },
      { targets: targets('t2', 't3', 't4', 't5'), rules: small },
    );
    expect(show(last.desired.slots)).toBe('1:t5 2:t2 3:t3 4:t4 5:-');
    expect(last.shrinkBlockedBy).toEqual([3, 4]);
    const after = assign(assignInput({ slots: last.desired.slots, targets: targets('t2', 't5'), rules: small }));
    expect(show(after.desired.slots)).toBe('1:t5 2:t2');
  });

  it('starts a very first list at full weight, or at the minimum as configured, and later ones on the ramp', () => {
    const full = story({ targets: targets('t1') }, { targets: targets('t1', 't2'), afterMs: 30_000 });
    expect(full.last.desired.slots.slice(0, 2)).toMatchObject([{ weight: 10 }, { weight: 1 }]);
    const rules = listRules({ ramp: { ...listRules().ramp, first: 'min' } });
    const low = story({ targets: targets('t1'), rules }, { targets: targets('t1'), afterMs: 65_000, rules });
    expect(low.last.desired.slots[0]).toMatchObject({ weight: 3 });
  });

  it('takes over a row that HSDO wrote by its address, ramp included, when the names differ from our ids', () => {
    const row = target('node-7', { name: 'node-7', address: '10.9.9.9', group: 'old' });
    const found = target('node-7/web-1', { name: 'node-7', address: '10.9.9.9', port: 8080 });
    const { desired } = assign(
      assignInput({ slots: [taken(1, row, { weight: 3, joinedAt: startAt - 60_000 })], targets: [found] }),
    );
    expect(desired.slots[0]).toMatchObject({ target: found, weight: 3, joinedAt: startAt - 60_000 });
  });

  it('gives a newcomer at the address of one that left the same slot, with a ramp of its own', () => {
    const rules = listRules();
    const newcomer = target('t9', { address: '10.0.0.1' });
    const { last } = story(
      { targets: targets('t1', 't2'), rules },
      { targets: [newcomer, target('t2')], afterMs: 60_000, rules },
    );
    expect(last.desired.slots[0]).toMatchObject({ index: 1, state: 'taken', target: { id: 't9' }, weight: 1 });
  });

  it('gives back the very same slots where nothing differs, and new ones where something does', () => {
    const { last } = story({ targets: targets('t1', 't2') });
    const again = assign(
      assignInput({ slots: last.desired.slots, targets: [target('t1'), target('t2', { zone: 'b' })] }),
    );
    expect(again.desired.slots[0]).toBe(last.desired.slots[0]);
    expect(again.desired.slots[1]).not.toBe(last.desired.slots[1]);
    expect(again.desired.slots[1]).toMatchObject({ target: { zone: 'b' } });
  });

  it('removes nobody while a source was never read', () => {
    const { lists } = story(
      { targets: targets('t1', 't2') },
      { targets: targets('t1'), isComplete: false },
      { targets: [], isComplete: false },
    );
    expect(lists).toEqual(['1:t1 2:t2 3:- 4:- 5:-', '1:t1 2:t2 3:- 4:- 5:-', '1:t1 2:t2 3:- 4:- 5:-']);
  });

  it('carries an override beside the weight, and keeps it for a target that the guard holds', () => {
    const overrides = new Map([['t1', 'maint' as const]]);
    const { last } = story({ targets: targets('t1', 't2'), overrides }, { targets: [], overrides });
    expect(last.desired.slots[0]).toMatchObject({ override: 'maint', weight: 10 });
    expect(last.desired.hold?.targets).toEqual(['t1', 't2']);
    const cleared = assign(assignInput({ slots: last.desired.slots, targets: targets('t1', 't2') }));
    expect(cleared.desired.slots[0]).not.toHaveProperty('override');
  });
});
