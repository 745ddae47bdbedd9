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
});
