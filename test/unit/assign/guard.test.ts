import { describe, expect, it } from 'vitest';
import { assign } from '../../../src/assign/assign.ts';
import { countAbsences, guard, isTooLarge } from '../../../src/assign/guard.ts';
import { assignInput, listRules, show, startAt, taken, target, targets } from '../../fixtures/lists.ts';

const slotsOf = (...ids: readonly string[]) => targets(...ids).map((one, n) => taken(n + 1, one));
const ids = (count: number) => Array.from({ length: count }, (_, n) => `t${n + 1}`);

describe('isTooLarge', () => {
  const step = (absent: number, staying: number, draining = 0, arrived = 0) => {
    const all = slotsOf(...ids(absent + staying));
    return { absent: all.slice(0, absent), staying: all.slice(absent), draining, arrived, reported: staying + arrived };
  };
  it.each([
    ['nothing leaves', 0, 4, 0, 0, 0.5, false],
    ['half of ten', 5, 5, 0, 0, 0.5, false],
    ['more than half of ten', 6, 4, 0, 0, 0.5, true],
    ['one of two', 1, 1, 0, 0, 0.5, false],
    ['one of three with a share that would round to none', 1, 2, 0, 0, 0.1, false],
    ['two of three', 2, 1, 0, 0, 0.5, true],
    ['the last one', 1, 0, 0, 0, 1, true],
    ['everybody, with a share of one', 4, 0, 0, 0, 1, true],
    ['everybody replaced at once', 4, 0, 0, 4, 0.5, true],
    ['one more while as many drain as may leave', 1, 4, 5, 0, 0.5, true],
    ['one more while those that drain were replaced', 1, 4, 5, 5, 0.5, false],
  ])('%s', (_, absent, staying, draining, arrived, maxRemoveShare, expected) => {
    expect(isTooLarge(step(absent, staying, draining, arrived), { maxRemoveShare, confirmReads: 3 })).toBe(expected);
  });
});

describe('guard', () => {
  it('holds a removal until every held target was absent in as many consecutive reads as configured', () => {
    let list = assign(assignInput({ targets: targets('t1', 't2', 't3') }));
    const step = (isNewRead: boolean, present: readonly string[] = []) => {
      list = assign(
        assignInput({
          slots: list.desired.slots,
          hold: list.desired.hold,
          absences: list.absences,
          targets: targets(...present),
          isNewRead,
        }),
      );
      return show(list.desired.slots);
    };
    const full = '1:t1 2:t2 3:t3 4:- 5:-';
    expect([step(true), step(false), step(true), step(false)]).toEqual([full, full, full, full]);
    expect(step(true)).toBe('1:(t1) 2:(t2) 3:(t3) 4:- 5:-');
    expect(list.desired.hold).toBeUndefined();
  });

  it('starts counting anew when the targets come back in between', () => {
    const all = slotsOf('t1', 't2', 't3');
    let absences = countAbsences(new Map(), all, true);
    absences = countAbsences(absences, all, true);
    absences = countAbsences(absences, [], true);
    expect(countAbsences(absences, all, true).get(1)).toEqual({ id: 't1', reads: 1 });
  });

  it('counts anew for a slot that changed hands', () => {
    const absences = countAbsences(new Map(), [taken(1, target('t1'))], true);
    expect(countAbsences(absences, [taken(1, target('t2'))], true).get(1)).toEqual({ id: 't2', reads: 1 });
  });

  it('keeps one token over the life of a hold, lets go when an operator names it, and not when one names another', () => {
    const slots = slotsOf('t1', 't2', 't3');
    const first = assign(assignInput({ slots, targets: [] }));
    const again = assign(
      assignInput({ slots, hold: first.desired.hold, targets: [], now: startAt + 5000, releasedToken: 'hold-older' }),
    );
    expect(again.desired.hold).toEqual(first.desired.hold);
    expect(again.desired.hold).toMatchObject({ sinceAt: startAt, targets: ['t1', 't2', 't3'] });
    const released = assign(
      assignInput({ slots, hold: again.desired.hold, targets: [], releasedToken: again.desired.hold?.token }),
    );
    expect(released.desired.hold).toBeUndefined();
    expect(released.desired.slots.every((slot) => slot.state !== 'taken')).toBe(true);
  });

  it('lets go of what the hold named when it was looked at, and holds what has gone since under another token', () => {
    const slots = slotsOf(...ids(10));
    const few = assign(assignInput({ slots, targets: targets('t7', 't8', 't9', 't10') }));
    const token = few.desired.hold?.token ?? '';
    expect(few.desired.hold?.targets).toEqual(ids(6));
    const none = { slots, hold: few.desired.hold, now: startAt + 1000, targets: [] };
    const grown = assign(assignInput(none)).desired.hold;
    expect(grown).toMatchObject({ sinceAt: few.desired.hold?.sinceAt, targets: ids(10) });
    expect(grown?.token).not.toBe(token);
    const released = assign(assignInput({ ...none, releasedToken: token })).desired;
    expect(show(released.slots)).toBe('1:(t1) 2:(t2) 3:(t3) 4:(t4) 5:(t5) 6:(t6) 7:t7 8:t8 9:t9 10:t10');
    expect(released.hold).toMatchObject({ sinceAt: startAt + 1000, targets: ['t7', 't8', 't9', 't10'] });
    expect(released.hold?.token).not.toBe(token);
    const fewer = assign(assignInput({ ...none, targets: targets('t1', 't7', 't8', 't9', 't10') })).desired.hold;
    expect(fewer).toMatchObject({ token, targets: ['t2', 't3', 't4', 't5', 't6'] });
  });

  it('never confirms by itself when only an operator may', () => {
    const absent = slotsOf('t1', 't2');
    const absences = new Map(absent.map((slot) => [slot.index, { id: slot.target.id, reads: 1_000_000 }]));
    const step = { absent, staying: [], draining: 0, arrived: 0, reported: 0 };
    const state = { absences, hold: undefined, releasedToken: undefined, now: startAt };
    expect(guard(step, state, { maxRemoveShare: 0.5, confirmReads: 0 }).leaving.size).toBe(0);
  });

  it('does not take the rest of a held step for a small one when the first of it are confirmed', () => {
    const slots = slotsOf('t1', 't2', 't3', 't4');
    const rules = listRules({ drainMs: 0 });
    const one = assign(
      assignInput({ slots, targets: targets('t4'), rules, absences: new Map([[1, { id: 't1', reads: 2 }]]) }),
    );
    expect(show(one.desired.slots)).toBe('1:- 2:t2 3:t3 4:t4 5:-');
    const { slots: after, hold } = one.desired;
    const two = assign(
      assignInput({ slots: after, hold, absences: one.absences, targets: targets('t4'), isNewRead: false, rules }),
    );
    expect(show(two.desired.slots)).toBe('1:- 2:t2 3:t3 4:t4 5:-');
    expect(two.desired.hold?.targets).toEqual(['t2', 't3']);
  });

  it('still places newcomers while it holds', () => {
    const { desired } = assign(
      assignInput({ slots: slotsOf('t1', 't2', 't3'), targets: targets('t4'), rules: listRules() }),
    );
    expect(show(desired.slots)).toBe('1:t1 2:t2 3:t3 4:t4 5:-');
  });
});
