import { describe, expect, it } from 'vitest';
import { candidatesOf, switchoverTarget } from '../../../src/daemon/switchover-view.ts';
import type { TakenSlot } from '../../../src/model/slot.ts';
import { snapshotOf, startAt, taken, target } from '../../fixtures/lists.ts';

const one = { name: 'web', select: { kind: 'active-passive', failback: true, failbackSeconds: 0 } } as const;
const all = { name: 'web', select: { kind: 'all' } } as const;
const health = (verdict: 'up' | 'down' | 'undecided'): Pick<TakenSlot, 'health'> => ({
  health: { verdict, code: verdict === 'down' ? 'refused' : 'ok', sinceAt: startAt + 5 },
});

const list = snapshotOf(
  [
    taken(1, target('i-1', { priority: 9 }), health('up')),
    taken(2, target('i-2', { priority: 1, port: 80 }), health('up')),
    taken(3, target('i-3', { priority: 5 }), { ...health('up'), out: 'standby' }),
    taken(4, target('i-4'), health('down')),
    taken(5, target('i-5'), { ...health('undecided'), out: 'new' }),
    taken(6, target('i-6'), { ...health('up'), override: 'drain' }),
    { state: 'free', index: 7 },
    { ...taken(8, target('i-8')), state: 'draining', drainUntil: startAt },
  ],
  { active: 'i-1' },
);

describe('the candidates of a switchover', () => {
  it('are up, not held and not the active one; the highest priority comes first', () => {
    const { active, candidates } = candidatesOf(one, list);
    expect(active).toBe('i-1');
    expect(candidates).toEqual([
      { id: 'i-3', name: 'i-3', address: '10.0.0.3', priority: 5, sinceAt: startAt + 5 },
      { id: 'i-2', name: 'i-2', address: '10.0.0.2', port: 80, priority: 1, sinceAt: startAt + 5 },
    ]);
  });

  it('come with the active one by id and name', () => {
    const named = snapshotOf([taken(1, target('i-1', { name: 'web-1' }))], { active: 'i-1' });
    expect(candidatesOf(one, named)).toMatchObject({ active: 'i-1', activeName: 'web-1' });
    expect(candidatesOf(one, snapshotOf([], { active: 'i-1' }))).toEqual({
      service: 'web',
      active: 'i-1',
      candidates: [],
    });
  });

  it('are all that are known, where nothing is checked, since they joined', () => {
    const unchecked = snapshotOf([taken(1, target('i-1')), taken(2, target('i-2'), { override: 'ready' })], {
      active: 'i-1',
    });
    expect(candidatesOf(one, unchecked).candidates.map(({ id, sinceAt }) => [id, sinceAt])).toEqual([['i-2', startAt]]);
  });

  it('are none where several serve, and none while there is no list', () => {
    expect(candidatesOf(all, list).candidates).toEqual([]);
    expect(candidatesOf(one, undefined)).toEqual({ service: 'web', candidates: [] });
  });
});

describe('the target of a switchover', () => {
  it('is named by its id or its name', () => {
    const named = snapshotOf([taken(1, target('i-1', { name: 'web-1' })), taken(2, target('i-2', { name: 'web-2' }))]);
    expect(switchoverTarget(one, named, 'web-2').id).toBe('i-2');
    expect(switchoverTarget(one, named, 'i-1').name).toBe('web-1');
    const doubled = snapshotOf([taken(1, target('i-1', { name: 'web' })), taken(2, target('i-2', { name: 'web' }))]);
    expect(() => switchoverTarget(one, doubled, 'web')).toThrow('i-1, i-2 have that name');
    expect(switchoverTarget(one, doubled, 'i-2').id).toBe('i-2');
  });

  it('may be the active one, which then stays whatever comes first', () => {
    expect(switchoverTarget(one, list, 'i-1').id).toBe('i-1');
  });

  it.each([
    ['i-4', 'it is down (refused)'],
    ['i-5', 'it was not found up yet'],
    ['i-6', 'an operator has it in drain'],
    ['i-8', 'its list has no such target, but i-1, i-2, i-3, i-4, i-5, i-6'],
  ])('is not %s: %s', (id, why) => {
    expect(() => switchoverTarget(one, list, id)).toThrow(`Cannot switch "web" over to "${id}": ${why}`);
  });

  it('is nobody where a service points at no single one', () => {
    expect(() => switchoverTarget(all, list, 'i-2')).toThrow('it points at no single target');
  });
});
