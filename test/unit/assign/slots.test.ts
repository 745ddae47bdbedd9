import { describe, expect, it } from 'vitest';
import { leave, stay } from '../../../src/assign/slots.ts';
import type { SlotHealth } from '../../../src/model/slot.ts';
import { listRules, startAt, taken, target } from '../../fixtures/lists.ts';

const rules = listRules();
const one = target('t1');
const at = (afterMs: number) => ({ now: startAt + afterMs, override: undefined });
const health: SlotHealth = { verdict: 'undecided', code: 'ok', sinceAt: startAt, isInDoubt: true };

describe('a slot whose target stays', () => {
  it('keeps what the votes made of it', () => {
    const slot = taken(1, one, { weight: 3, health, out: 'down' });
    expect(stay(slot, one, at(300_000), rules)).toEqual({ ...slot, weight: 10 });
    expect(stay(slot, target('t1', { zone: 'b' }), at(0), rules)).toMatchObject({ health, out: 'down' });
  });

  it('has no ramp while its target was never seen up', () => {
    const slot = taken(1, one, { weight: 1, health, out: 'new' });
    expect(stay(slot, one, at(3_600_000), rules)).toBe(slot);
    const light = target('t1', { weight: 4 });
    expect(stay(taken(1, light, { weight: 10, out: 'new' }), light, at(0), rules).weight).toBe(4);
  });

  it('loses its verdict when the target leaves, and begins without one when it returns', () => {
    const draining = leave(taken(1, one, { health, out: 'down' }), startAt, 30_000);
    expect(draining).not.toHaveProperty('health');
    if (draining.state !== 'draining') throw new Error('it drains for 30 s');
    expect(stay(draining, one, at(0), rules)).toEqual(taken(1, one));
  });
});
