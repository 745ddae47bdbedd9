import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contest, ratioOf } from '../../bench/contest.ts';
import { histogram, percentile, summarize } from '../../bench/figures.ts';

const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });

describe('figures of the bench', () => {
  it('take percentiles by the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect([0, 0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
  });

  it('say nothing about no values', () => {
    expect(() => percentile([], 0.5)).toThrow('no values');
  });

  it('have a median between the smallest and the largest value', () => {
    fc.assert(
      fc.property(values, (some) => {
        const { min, median, max, count } = summarize(some);
        expect(min <= median && median <= max && count === some.length).toBe(true);
      }),
    );
  });

  it('count every value in exactly one bin of a histogram', () => {
    fc.assert(
      fc.property(values, (some) => {
        const { bins } = histogram('', 'ms', some);
        expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(some.length);
        expect(bins.length).toBeLessThanOrEqual(11);
      }),
    );
  });
});

describe('a contest', () => {
  it('prepares and verifies every run, and leaves the warm-up out of the results', async () => {
    const steps: string[] = [];
    const step = (name: string) => async () => void steps.push(name);
    const contestant = { prepare: step('prepare'), run: step('run'), verify: step('verify'), times: 2 };
    const { one } = await contest({ one: contestant }, { rounds: 2, warmUps: 1 });
    expect(one.map((costs) => costs.length)).toEqual([2, 2]);
    expect(steps).toEqual(Array.from({ length: 6 }, () => ['prepare', 'run', 'verify']).flat());
  });

  it('compares medians round by round and tells whether a promise is kept', () => {
    const rounds = (...wallMs: number[][]) => wallMs.map((round) => round.map((one) => ({ wallMs: one, cpuMs: 0 })));
    const promised = { text: 'at least 10', holds: (ratio: number) => ratio >= 10 };
    const ratio = ratioOf('slow / fast', rounds([100], [300]), rounds([10, 1, 50], [10, 10, 10]), promised);
    expect(ratio.summary).toEqual({ median: 10, min: 10, max: 30, count: 2 });
    expect(ratio.promised?.isMet).toBe(true);
  });
});
