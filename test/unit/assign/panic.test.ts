import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServingRules } from '../../../src/assign/serving.ts';
import { type Override, servingWeight, type TakenSlot } from '../../../src/model/slot.ts';
import { startAt, target } from '../../fixtures/lists.ts';
import { createStory, servingRules } from '../../fixtures/serving.ts';

const activePassive = { kind: 'active-passive', failback: true, failbackSeconds: 60 } as const;
const storyOf = (fields: Partial<ServingRules> = {}) => createStory(servingRules(fields));
const fallback = { kind: 'fallback', fallback: ['192.0.2.1'] } as const;

describe('when no target is up', () => {
  it.each<[ServingRules['whenAllDown'], string]>([
    [{ kind: 'last-good' }, 't1:down t2 t3:new PANIC last-good'],
    [{ kind: 'all' }, 't1 t2 t3 PANIC all'],
    [{ kind: 'none' }, 't1:down t2:down t3:new PANIC none'],
    [{ kind: 'first' }, 't1 t2:down t3:new PANIC first'],
    [fallback, 't1:down t2:down t3:new PANIC fallback'],
  ])('%j says who serves', (whenAllDown, expected) => {
    const story = storyOf({ whenAllDown });
    story.round('t1+ t2+ t3?');
    story.round('t1- t2+ t3?');
    expect(story.round('t1- t2- t3?', 60_000)).toBe(expected);
    const { panic } = story.served();
    expect(panic?.sinceAt).toBe(story.now());
    expect(panic?.fallback).toEqual(whenAllDown.fallback);
    expect(story.round('t1- t2- t3?', 60_000)).toBe(expected);
    expect(story.served().panic).toEqual(panic);
    expect(story.round('t1- t2- t3+')).toBe('t1:down t2:down t3');
    expect(story.served()).not.toHaveProperty('panic');
  });

  it('brings back all that were lost in one outage, though checks notice it one after the other', () => {
    const story = storyOf();
    story.round('t1+ t2+ t3+ t4-');
    story.round('t1- t2+ t3+ t4-', 60_000);
    story.round('t1- t2- t3+ t4-', 15_000);
    expect(story.round('t1- t2- t3- t4-', 15_000)).toBe('t1:down t2 t3 t4:new PANIC last-good');
    expect(story.round('t1- t2- t3- t4-', 600_000)).toBe('t1:down t2 t3 t4:new PANIC last-good');
  });

  it('does not let a target begin its ramp anew because it was served meanwhile', () => {
    const story = storyOf({ rampAfterDown: true });
    for (const signs of ['t1+', 't1-', 't1+']) story.round(signs);
    expect(story.slot('t1')).toMatchObject({ joinedAt: startAt, weight: 10 });
  });

  it('serves everybody where nobody ever served: a service must not stay dark', () => {
    const story = storyOf();
    expect(story.round('t1? t2-')).toBe('t1 t2 PANIC last-good');
    expect(story.round('t1? t2-')).toBe('t1 t2 PANIC last-good');
    expect(story.round('t1? t2- t3?')).toBe('t1 t2 t3:new PANIC last-good');
    expect(story.round('t1? t2+ t3?')).toBe('t1:new t2 t3:new');
  });

  it('never begins while first votes are waited for, unless there is nothing to wait for', () => {
    const waiting = { isBallotsIn: false };
    const story = storyOf();
    expect(story.round('t1? t2-', 1000, waiting)).toBe('t1:new t2:new');
    expect(story.round('t1- t2-', 1000, waiting)).toBe('t1 t2 PANIC last-good');
    const served = storyOf();
    served.round('t1+ t2?');
    expect(served.round('t1- t2?', 1000, waiting)).toBe('t1 t2:new PANIC last-good');
    expect(served.round('t1 t2', 1000, waiting)).toBe('t1 t2:new PANIC last-good');
  });

  it('never brings back what an operator took out, nor announces a panic of an empty list', () => {
    const out = new Map<string, Override>([['t1', 'maint']]);
    for (const kind of ['last-good', 'all', 'first'] as const) {
      const story = storyOf({ whenAllDown: { kind } });
      story.round('t1+ t2+');
      expect(story.round('t1- t2-', 1000, { overrides: out })).toBe(`t1:down t2 PANIC ${kind}`);
      expect(story.round('t1+ t2-', 1000, { overrides: out })).toBe(`t1 t2 PANIC ${kind}`);
      expect(servingWeight(story.slot('t1'))).toBe(0);
    }
    expect(storyOf().round([])).toBe('');
  });

  it('says so too when an operator took out everybody, so that fallback addresses answer', () => {
    const story = storyOf({ whenAllDown: fallback });
    const overrides = new Map<string, Override>([['t1', 'drain']]);
    expect(story.round('t1+', 1000, { overrides })).toBe('t1 PANIC fallback');
  });

  it('keeps an active-passive service at its last active target, or the first by rank', () => {
    const story = storyOf({ selection: activePassive });
    story.round('t1+ t2+ t3+');
    story.round('t1- t2+ t3+');
    expect(story.round('t1- t2- t3-')).toBe('t1:down t2 t3:down PANIC last-good ACTIVE t2');
    const dark = [target('t1'), target('t2', { priority: 4 })];
    expect(storyOf({ selection: activePassive }).round(dark, 0, { signs: '--' })).toBe(
      't1:new t2 PANIC last-good ACTIVE t2',
    );
    const first = storyOf({ selection: activePassive, whenAllDown: { kind: 'first' } });
    expect(first.round(dark, 0, { signs: '--' })).toBe('t1:new t2 PANIC first ACTIVE t2');
  });
});

describe('targets with roles', () => {
  const kinds = ['last-good', 'all', 'first', 'none'] as const;

  it.each(kinds)('never has two primaries in a panic with %s', (kind) => {
    const story = storyOf({ hasRoles: true, whenAllDown: { kind } });
    story.round('t1+ t2!');
    story.round('t1- t2!');
    story.round('t1- t2+');
    const serves = kind === 'none' ? 'none' : 'last-good';
    expect(story.round('t1- t2-')).toBe(`t1:down ${kind === 'none' ? 't2:down' : 't2'} PANIC ${serves}`);
  });

  it.each(kinds)('never bring back with %s one that says it is not the one wanted', (kind) => {
    const story = storyOf({ hasRoles: true, whenAllDown: { kind } });
    story.round('t1+ t2!');
    expect(story.round('t1! t2!')).toMatch(/^t1:down t2:new PANIC /);
    const plain = storyOf({ whenAllDown: { kind } });
    plain.round('t1+ t2+');
    expect(plain.round('t1! t2!')).toMatch(/^t1:down t2:down PANIC /);
  });
});

describe('every course of a service', () => {
  const sign = fc.constantFrom('+', '-', '?', '!', '');
  const round = fc.record({
    signs: fc.array(sign, { minLength: 4, maxLength: 4 }),
    present: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
    held: fc.subarray(['t1', 't2', 't3', 't4']),
    afterMs: fc.constantFrom(0, 1000, 90_000),
    isBallotsIn: fc.boolean(),
  });
  const rules = fc.record({
    kind: fc.constantFrom('last-good', 'all', 'none', 'first'),
    selection: fc.constantFrom({ kind: 'all' }, { kind: 'priority' }, activePassive),
    hasRoles: fc.boolean(),
    rampAfterDown: fc.boolean(),
  });

  it('serves somebody whenever it may, one alone where one is active, and never what is held or decided against', () => {
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 8 }), rules, (rounds, { kind, ...how }) => {
        const story = storyOf({ ...how, whenAllDown: { kind } } as Partial<ServingRules>);
        for (const { signs, present, held, afterMs, isBallotsIn } of rounds) {
          const overrides = new Map(held.map((id) => [id, 'maint' as const]));
          const said = present.map((n) => `t${n + 1}${signs[n]}`).join(' ');
          const more = { overrides, isBallotsIn };
          const before = new Set(
            story
              .slots()
              .filter((slot) => servingWeight(slot) > 0)
              .map(({ index }) => index),
          );
          story.round(said, afterMs, more);
          const { slots, panic } = story.served();
          const taken = slots.filter((slot): slot is TakenSlot => slot.state === 'taken');
          const serving = taken.filter((slot) => slot.out === undefined && slot.override === undefined);
          const isUp = (slot: TakenSlot) => slot.health?.verdict === 'up';
          const mayServe = taken.filter((slot) => slot.override === undefined && isUp(slot));
          if (mayServe.length > 0) {
            expect(panic).toBeUndefined();
            expect(serving.length).toBeGreaterThan(0);
          }
          if (panic && how.hasRoles) expect(serving.every(({ index }) => before.has(index))).toBe(true);
          const isOne = how.selection.kind === 'active-passive' && panic?.serves !== 'all';
          expect(serving.length).toBeLessThanOrEqual(isOne ? 1 : 4);
          expect(serving.some((slot) => slot.health?.code === 'not-primary')).toBe(false);
          const line = story.served();
          story.round(said, 0, more);
          expect(story.served()).toEqual(line);
        }
      }),
    );
  });
});
