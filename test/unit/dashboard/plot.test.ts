import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineOf, plotSentence, stretchesOf } from '../../../src/dashboard/page/plot.ts';
import { taking } from '../../../src/dashboard/page/words.ts';

describe('a small plot', () => {
  it('breaks its line where nothing was measured, and shows a point between two gaps as a dash', () => {
    expect(lineOf([0, 10, null, 5, null], 40, 20)).toEqual({ path: 'M0 20L10 0M30 10h10', highest: 10 });
    expect(lineOf([], 40, 20)).toEqual({ path: '', highest: 0 });
    expect(lineOf([null, null], 40, 20).path).toBe('');
    expect(lineOf([0, 0], 40, 20).path).toBe('M0 20L40 20');
  });

  it('never leaves its frame', () => {
    const point = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(fc.array(point, { maxLength: 200 }), (points) => {
        const { path } = lineOf(points, 120, 24);
        for (const [, x, y] of path.matchAll(/[ML]([\d.e-]+) ([\d.e-]+)/g)) {
          expect(Number(x)).toBeGreaterThanOrEqual(0);
          expect(Number(x)).toBeLessThanOrEqual(120);
          expect(Number(y)).toBeGreaterThanOrEqual(0);
          expect(Number(y)).toBeLessThanOrEqual(24);
        }
      }),
    );
  });

  it('has stretches that cover every step once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('u', 'd', '-')), (letters) => {
        const health = letters.join('');
        const stretches = stretchesOf(health);
        expect(stretches.map((one) => one.health.repeat(one.steps)).join('')).toBe(health);
        for (const [index, one] of stretches.entries()) expect(one.health).not.toBe(stretches[index - 1]?.health);
      }),
    );
  });

  it('says in words what it shows', () => {
    expect(plotSentence('---', [null], taking)).toBe('nothing measured in the last 15 minutes');
    expect(plotSentence('uuddu', [1, 20], taking)).toBe('last 15 minutes: 1 ms to 20 ms, down once');
    expect(plotSentence('dud', [null], taking)).toBe('last 15 minutes: no times, down 2 times');
    expect(plotSentence('u', [3], taking)).toBe('last 15 minutes: 3 ms to 3 ms, never down');
  });
});
