import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Health, nextHealth } from '../../../src/judge/health.ts';
import { restoredHealth, voteOf } from '../../../src/judge/vote.ts';
import type { Vote } from '../../../src/model/ballot.ts';
import { passed } from '../../../src/model/probe.ts';
import { healthRules, observe } from '../../fixtures/checks.ts';

const rules = healthRules();
const wall = 1_700_000_000_000;
const at = (monotonic: number, wallNow = wall + monotonic) => ({ wall: wallNow, monotonic });
const known = (signs: string, more: Partial<Health> = {}) => {
  const { health } = observe(signs, rules);
  if (health === undefined) throw new Error('no probe, no health');
  return { ...health, ...more };
};

describe('a vote', () => {
  it('is not cast while nothing is known', () => {
    expect(voteOf(known('-?'), undefined, at(2000))).toBeUndefined();
  });

  it('says what the observer thinks and since when by its wall clock', () => {
    expect(voteOf(known('+--', { role: 'primary', timeline: 3 }), undefined, at(9000))).toEqual({
      health: 'down',
      code: 'timeout',
      sinceAt: wall + 2000,
      role: 'primary',
      timeline: 3,
    });
  });

  it('says which place was asked, and is another one for another place', () => {
    const here = voteOf(known('+'), undefined, at(0), '10.0.0.1|80');
    expect(here).toMatchObject({ about: '10.0.0.1|80' });
    expect(voteOf(known('++'), here, at(9), '10.0.0.1|80')).toBe(here);
    expect(voteOf(known('++'), here, at(9), '10.0.0.2|80')).toMatchObject({ about: '10.0.0.2|80' });
  });

  it('is the same object while nothing worth telling changes, however the wall clock is set', () => {
    const first = voteOf(known('+', { totalMs: 100, connectMs: 0.5 }), undefined, at(0));
    const later = known('+++', { totalMs: 109, connectMs: 0.55 });
    expect(voteOf(later, first, at(60_000, wall - 3_600_000))).toBe(first);
    expect(voteOf(known('+++', { totalMs: 120.4, connectMs: 0.5 }), first, at(60_000))).toEqual({
      ...first,
      totalMs: 120,
    });
  });

  it('tells times in whole milliseconds, or in tenths below ten, at most a tenth off', () => {
    const time = fc.double({ min: 0, max: 5000, noNaN: true });
    fc.assert(
      fc.property(time, fc.option(time, { nil: undefined }), (totalMs, earlier) => {
        const before = voteOf(known('+', earlier === undefined ? {} : { totalMs: earlier }), undefined, at(0));
        const told = voteOf(known('+', { totalMs }), before, at(0))?.totalMs ?? Number.NaN;
        expect(Math.abs(told - totalMs)).toBeLessThanOrEqual(Math.max(0.1, 0.12 * totalMs, 0.5));
        expect(told >= 10 ? told % 1 : Math.round(told * 10) - told * 10).toBeCloseTo(0, 6);
      }),
    );
  });
});

describe('an observer that was restarted', () => {
  const vote = (health: 'up' | 'down'): Vote => ({
    health,
    code: health === 'up' ? 'ok' : 'refused',
    sinceAt: wall - 60_000,
    totalMs: 40,
  });

  it('says on what it said before, word for word', () => {
    for (const former of [vote('up'), { ...vote('down'), role: 'replica', timeline: 2, connectMs: 3 } as const]) {
      expect(voteOf(restoredHealth(former, at(5)), former, at(5))).toBe(former);
    }
  });

  it('needs a row of failures to take a target down, and a row of passes to bring one up', () => {
    const from = (health: 'up' | 'down', signs: string) =>
      observe(signs, rules, { from: restoredHealth(vote(health), at(0)) }).states;
    expect(from('up', '-+--')).toBe('uuud');
    expect(from('down', '+-++')).toBe('dddu');
  });

  it('goes on from the times of the vote, and begins now where the vote is from the future', () => {
    const health = restoredHealth(vote('up'), at(100));
    expect(nextHealth(health, passed('fine', { totalMs: 80 }), 200, rules)).toMatchObject({ totalMs: 50 });
    expect(restoredHealth({ ...vote('up'), sinceAt: wall + 999_999 }, at(100, wall)).sinceAt).toBe(100);
  });
});
