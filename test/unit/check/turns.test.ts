import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOf, turnAfter, turnsUntil } from '../../../src/check/turns.ts';

const share = fc.double({ min: 0, max: 0.999, noNaN: true });
const interval = fc.double({ min: 50, max: 86_400_000, noNaN: true });
const instant = fc.double({ min: 0, max: 1e10, noNaN: true });

describe('the turns of a target', () => {
  it('depend on the names of service and target alone', () => {
    expect(shareOf('web', 'i-1')).toBe(shareOf('web', 'i-1'));
    expect(shareOf('web', 'i-1')).not.toBe(shareOf('web', 'i-2'));
    expect(shareOf('web', 'i-1')).not.toBe(shareOf('web2', 'i-1'));
    expect(shareOf('a', 'bc')).not.toBe(shareOf('ab', 'c'));
  });

  it('are spread evenly, also for names that differ in a digit only', () => {
    const parts = new Array<number>(50).fill(0);
    for (let number = 0; number < 5000; number += 1) {
      const part = Math.floor(shareOf('web', `i-${number}`) * parts.length);
      parts[part] = (parts[part] ?? 0) + 1;
    }
    expect(Math.min(...parts)).toBeGreaterThan(60);
    expect(Math.max(...parts)).toBeLessThan(145);
  });

  it('come once in every interval, at the same place of it', () => {
    fc.assert(
      fc.property(share, interval, instant, (where, intervalMs, after) => {
        const next = turnAfter(where, intervalMs, after);
        expect(next).toBeGreaterThan(after);
        expect(next).toBeLessThanOrEqual(after + intervalMs * (1 + 1e-5));
        expect(turnAfter(where, intervalMs, next) - next).toBeCloseTo(intervalMs, 2);
        expect(turnsUntil(where, intervalMs, next) - turnsUntil(where, intervalMs, after)).toBe(1);
      }),
    );
  });
});
