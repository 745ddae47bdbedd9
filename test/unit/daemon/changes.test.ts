import { describe, expect, it } from 'vitest';
import { describeChanges } from '../../../src/daemon/changes.ts';
import type { Slot } from '../../../src/model/slot.ts';
import { snapshotOf, startAt, taken, target } from '../../fixtures/lists.ts';

const draining = (index: number, id: string): Slot => ({
  state: 'draining',
  index,
  target: target(id),
  joinedAt: startAt,
  weight: 10,
  drainUntil: startAt,
});
const events = (before: readonly Slot[], after: readonly Slot[]) =>
  describeChanges(snapshotOf(before), snapshotOf(after)).map(({ event, slot, target: name, from, to }) =>
    [event, slot, name, from, to].filter((part) => part !== undefined).join(' '),
  );

const t1 = target('t1');
const free: Slot = { state: 'free', index: 1 };
const up = { verdict: 'up', code: 'ok', sinceAt: startAt } as const;
const down = { verdict: 'down', code: 'refused', sinceAt: startAt } as const;
const open = { verdict: 'undecided', code: 'ok', sinceAt: startAt } as const;

describe('describeChanges', () => {
  it.each<[string, Slot, Slot, string[]]>([
    ['an arrival', { state: 'free', index: 1 }, taken(1, target('t1')), ['placed 1 t1 10.0.0.1']],
    ['a departure', taken(1, target('t1')), draining(1, 't1'), ['draining 1 t1']],
    ['the end of a drain', draining(1, 't1'), { state: 'free', index: 1 }, ['freed 1 t1']],
    ['a return in time', draining(1, 't1'), taken(1, target('t1')), ['returned 1 t1']],
    [
      'a step of the ramp',
      taken(1, target('t1'), { weight: 2 }),
      taken(1, target('t1'), { weight: 3 }),
      ['weight 1 t1 2 3'],
    ],
    [
      'a new address',
      taken(1, target('t1')),
      taken(1, target('t1', { address: '10.1.1.1' })),
      ['moved address 1 t1 10.0.0.1 10.1.1.1'],
    ],
    [
      'an override',
      taken(1, target('t1')),
      taken(1, target('t1'), { override: 'maint' }),
      ['override 1 t1 none maint'],
    ],
    [
      'a verdict of down',
      taken(1, t1, { health: up }),
      taken(1, t1, { health: down, out: 'down' }),
      ['down 1 t1 refused'],
    ],
    ['a recovery', taken(1, t1, { health: down, out: 'down' }), taken(1, t1, { health: up }), ['up 1 t1 refused']],
    ['a first pass', taken(1, t1, { health: open, out: 'new' }), taken(1, t1, { health: up }), ['up 1 t1 ok']],
    ['a newcomer that is not known yet', free, taken(1, t1, { health: open, out: 'new' }), ['placed 1 t1 10.0.0.1']],
    ['a newcomer that is up', free, taken(1, t1, { health: up }), ['placed 1 t1 10.0.0.1', 'up 1 t1 ok']],
    [
      'a newcomer that is down',
      free,
      taken(1, t1, { health: down, out: 'down' }),
      ['placed 1 t1 10.0.0.1', 'down 1 t1 refused'],
    ],
    ['a stand-by', taken(1, t1, { health: up }), taken(1, t1, { health: up, out: 'standby' }), ['out 1 t1 standby']],
    ['its end', taken(1, t1, { health: up, out: 'standby' }), taken(1, t1, { health: up }), ['in 1 t1 standby']],
    [
      'a panic that serves it',
      taken(1, t1, { health: down, out: 'down' }),
      taken(1, t1, { health: down }),
      ['in 1 t1 down'],
    ],
    ['no doubt', taken(1, t1, { health: up }), taken(1, t1, { health: { ...up, isInDoubt: true } }), []],
    ['nothing', taken(1, target('t1')), taken(1, target('t1')), []],
  ])('tells %s', (_, before, after, expected) => {
    expect(events([before], [after])).toEqual(expected);
  });

  it('names a target that found no slot once, and the begin and end of a hold', () => {
    const hold = { token: 'hold-1', sinceAt: startAt, targets: ['a', 'b'] };
    const calm = snapshotOf([]);
    const tight = snapshotOf([], { unplaced: ['t9'], hold });
    expect(describeChanges(calm, tight)).toEqual([
      { event: 'unplaced', target: 't9' },
      { event: 'holding', to: 2, target: 'a, b' },
    ]);
    expect(describeChanges(tight, tight)).toEqual([]);
    expect(describeChanges(tight, calm)).toEqual([{ event: 'released' }]);
  });

  it('tells when a panic begins, serves something else and is over, and who is active', () => {
    const calm = snapshotOf([], { active: 'a' });
    const lastGood = snapshotOf([], { active: 'a', panic: { sinceAt: 1, serves: 'last-good' } });
    const fallback = snapshotOf([], { panic: { sinceAt: 1, serves: 'fallback', fallback: ['192.0.2.1'] } });
    expect(describeChanges(calm, lastGood)).toEqual([{ event: 'panic', to: 'last-good' }]);
    expect(describeChanges(lastGood, lastGood)).toEqual([]);
    expect(describeChanges(lastGood, fallback)).toEqual([
      { event: 'panic', to: 'fallback 192.0.2.1' },
      { event: 'active', from: 'a', to: 'none' },
    ]);
    expect(describeChanges(fallback, calm)).toEqual([
      { event: 'panic over' },
      { event: 'active', from: 'none', to: 'a' },
    ]);
    expect(describeChanges(calm, snapshotOf([], { active: 'b' }))).toEqual([{ event: 'active', from: 'a', to: 'b' }]);
  });
});
