import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SelectionRules } from '../../../src/assign/selection.ts';
import { select } from '../../../src/assign/selections.ts';
import { candidate, countOf, firsts, idsOf, timed } from '../../fixtures/candidates.ts';
import { startAt } from '../../fixtures/lists.ts';

describe('best-rtt', () => {
  const rules = { kind: 'best-rtt', rttMode: 'total' } as const;

  it.each<[string, readonly (number | undefined)[], number | undefined, string]>([
    ['orders by time', [30, 10, 20], undefined, 'bca'],
    ['leaves equals in the order of their slots', [20, 10, 20, 10], undefined, 'bdac'],
    ['puts those without a time last', [undefined, 30, undefined, 10], undefined, 'dbac'],
    ['leaves out who takes longer than the maximum', [30, 10, 20.1, 20], 20, 'bd'],
    ['picks nobody where all take longer', [30, 40], 20, ''],
    ['judges by the maximum only what was timed', [30, undefined], 20, 'b'],
  ])('%s', (_, times, maxRttMs, expected) => {
    expect(idsOf(select({ ...rules, maxRttMs }, timed(...times), {}, startAt).picked)).toBe(expected);
  });

  it('goes by the time until the connection stood where the rules say so', () => {
    const [near, far] = [candidate('n', { connectMs: 1, totalMs: 90 }), candidate('f', { connectMs: 50, totalMs: 60 })];
    expect(idsOf(select(rules, [near, far], {}, startAt).picked)).toBe('fn');
    expect(idsOf(select({ ...rules, rttMode: 'connect' }, [near, far], {}, startAt).picked)).toBe('nf');
  });
});

describe('group-rtt-rr', () => {
  const rules = { kind: 'group-rtt-rr', rttMode: 'total', groupThresholdMs: 10 } as const;

  it('takes turns among those near the fastest, and nobody else answers', () => {
    expect(firsts(rules, timed(15, 40, 10, 20), 6).answers.join('')).toBe('acdacd');
    expect(idsOf(select(rules, timed(15, 40, 10, 20), {}, startAt).picked)).toBe('acd');
  });

  it.each<[string, SelectionRules, readonly (number | undefined)[], string]>([
    [
      'takes turns among all without a threshold',
      { kind: 'group-rtt-rr', rttMode: 'total' },
      [1, 900, undefined],
      'abc',
    ],
    ['leaves those without a time to themselves', rules, [undefined, 30], 'bb'],
    ['takes turns among all where none was timed', rules, [undefined, undefined], 'ab'],
    ['keeps to the maximum inside the group', { ...rules, maxRttMs: 12 }, [5, 12, 13], 'ab'],
    ['has nobody where all take longer than the maximum', { ...rules, maxRttMs: 4 }, [5, 12], '--'],
  ])('%s', (_, how, times, expected) => {
    expect(firsts(how, timed(...times), expected.length).answers.join('')).toBe(expected);
  });

  it('never answers with one beyond the threshold, and is fair to within one in the group', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 }), (times) => {
        const { answers } = firsts(rules, timed(...times), 50);
        const best = Math.min(...times);
        const counts = timed(...times).map(({ id, totalMs = 0 }) => ({ count: countOf(answers, id), totalMs }));
        const group = counts.filter(({ totalMs }) => totalMs <= best + 10).map(({ count }) => count);
        expect(Math.max(...group) - Math.min(...group)).toBeLessThanOrEqual(1);
        expect(group.reduce((sum, count) => sum + count, 0)).toBe(50);
      }),
    );
  });
});
