import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign } from '../../../src/assign/assign.ts';
import { rampWeight } from '../../../src/assign/weight.ts';
import { assignInput, listRules, startAt, target } from '../../fixtures/lists.ts';

const names = Array.from({ length: 12 }, (_, n) => `t${n + 1}`);
const round = fc.record({
  present: fc.subarray(names),
  afterMs: fc.integer({ min: 0, max: 60_000 }),
  isNewRead: fc.boolean(),
  isComplete: fc.boolean(),
});
const history = fc.record({
  rounds: fc.array(round, { minLength: 1, maxLength: 25 }),
  size: fc.integer({ min: 1, max: 10 }),
  drainMs: fc.constantFrom(0, 20_000),
});

/** Plays a history and calls `look` with the list before and after every step. */
function play(
  { rounds, size, drainMs }: typeof history extends fc.Arbitrary<infer H> ? H : never,
  look: (
    before: ReturnType<typeof assign>,
    after: ReturnType<typeof assign>,
    step: { present: readonly string[]; now: number; isComplete: boolean },
  ) => void,
) {
  const rules = listRules({ size, drainMs });
  let now = startAt;
  let before = assign(assignInput({ rules }));
  for (const { present, afterMs, isNewRead, isComplete } of rounds) {
    now += afterMs;
    const after = assign(
      assignInput({
        slots: before.desired.slots,
        hold: before.desired.hold,
        absences: before.absences,
        targets: present.map((id) => target(id)),
        isNewRead,
        isComplete,
        now,
        rules,
      }),
    );
    look(before, after, { present, now, isComplete });
    before = after;
  }
}

const slotOf = (list: ReturnType<typeof assign>, id: string, state: 'taken' | 'draining') =>
  list.desired.slots.find((slot) => slot.state === state && slot.target.id === id);

describe('every history of a list', () => {
  it('keeps a known target in its slot, and its weight never falls', () => {
    fc.assert(
      fc.property(history, (h) =>
        play(h, (before, after, { present }) => {
          for (const id of present) {
            const was = slotOf(before, id, 'taken');
            const is = slotOf(after, id, 'taken');
            if (was?.state !== 'taken') continue;
            expect(is?.index).toBe(was.index);
            expect(is?.state === 'taken' && is.weight).toBeGreaterThanOrEqual(was.weight);
          }
        }),
      ),
    );
  });

  it('has each target at most once, every index once and in order', () => {
    fc.assert(
      fc.property(history, (h) =>
        play(h, (_, after) => {
          const owners = after.desired.slots.flatMap((slot) => (slot.state === 'free' ? [] : [slot.target.id]));
          expect(new Set(owners).size).toBe(owners.length);
          expect(after.desired.slots.map((slot) => slot.index)).toEqual(after.desired.slots.map((_, n) => n + 1));
        }),
      ),
    );
  });

  it('places every reported target or names it as unplaced, and then no slot is free', () => {
    fc.assert(
      fc.property(history, (h) =>
        play(h, (_, { desired }, { present }) => {
          const placed = present.filter((id) =>
            desired.slots.some((slot) => slot.state === 'taken' && slot.target.id === id),
          );
          expect([...placed, ...desired.unplaced].sort()).toEqual([...present].sort());
          if (desired.unplaced.length > 0) expect(desired.slots.some((slot) => slot.state === 'free')).toBe(false);
        }),
      ),
    );
  });

  it('removes nobody while incomplete, and is stable when nothing changes', () => {
    fc.assert(
      fc.property(history, (h) =>
        play(h, (before, after, { isComplete, present, now }) => {
          const gone = before.desired.slots.filter(
            (slot) => slot.state === 'taken' && !slotOf(after, slot.target.id, 'taken'),
          );
          if (!isComplete) expect(gone).toEqual([]);
          const again = assign(
            assignInput({
              slots: after.desired.slots,
              hold: after.desired.hold,
              absences: after.absences,
              targets: present.map((id) => target(id)),
              isNewRead: false,
              isComplete,
              now,
              rules: listRules({ size: h.size, drainMs: h.drainMs }),
            }),
          );
          if (after.desired.hold) expect(again.desired).toEqual(after.desired);
        }),
      ),
    );
  });

  it('gives a target that returns to a free slot of its own exactly that slot', () => {
    fc.assert(
      fc.property(history, (h) =>
        play(h, (before, after, { present }) => {
          for (const slot of before.desired.slots) {
            if (slot.state !== 'free' || !slot.last || !present.includes(slot.last.id)) continue;
            const last = slot.last.id;
            const remembered = before.desired.slots.filter(
              (other) => other.state === 'free' && other.last?.id === last,
            );
            if (slotOf(before, last, 'taken') || slotOf(before, last, 'draining')) continue;
            expect(remembered.map((other) => other.index)).toContain(slotOf(after, last, 'taken')?.index);
          }
        }),
      ),
    );
  });
});

describe('rampWeight', () => {
  const rules = listRules().ramp;
  it('stays between the minimum and the full weight and never falls as time goes on', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -100_000, max: 100_000 }), { maxLength: 30 }), (jumps) => {
        let now = startAt;
        let previous = rules.min;
        for (const jump of jumps) {
          now += jump;
          const weight = rampWeight(target('t1'), { joinedAt: startAt, now, previous }, rules);
          expect(weight).toBeGreaterThanOrEqual(previous);
          expect(weight).toBeLessThanOrEqual(rules.max);
          previous = weight;
        }
      }),
    );
  });

  it('follows a target whose source names its weight, and a maximum that was lowered', () => {
    const late = { joinedAt: startAt, now: startAt + 3_600_000, previous: 10 };
    expect(rampWeight(target('t1', { weight: 200 }), late, rules)).toBe(121);
    expect(rampWeight(target('t1', { weight: 3 }), late, rules)).toBe(3);
    expect(rampWeight(target('t1'), late, { ...rules, max: 5 })).toBe(5);
  });
});
