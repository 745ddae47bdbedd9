import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Candidate, SelectionRules, SelectionState } from '../../../src/assign/selection.ts';
import { select, selections } from '../../../src/assign/selections.ts';
import { candidate, candidates, countOf, firsts, idsOf } from '../../fixtures/candidates.ts';
import { startAt } from '../../fixtures/lists.ts';

describe('every selection', () => {
  const all: readonly SelectionRules[] = [
    { kind: 'all' },
    { kind: 'round-robin' },
    { kind: 'weighted' },
    { kind: 'priority' },
    { kind: 'active-passive', failback: true, failbackSeconds: 60 },
    { kind: 'best-rtt', rttMode: 'total' },
    { kind: 'group-rtt-rr', rttMode: 'connect', groupThresholdMs: 10 },
  ];

  it('is one of those that are tested here', () => {
    expect(all.map(({ kind }) => kind).sort()).toEqual(Object.keys(selections).sort());
  });

  it.each(all)(
    '$kind picks nobody twice and nobody else, somebody where there is anybody, and none of none',
    (rules) => {
      const any = fc.uniqueArray(
        fc.record({
          id: fc.constantFrom(...Array.from('abcdefgh')),
          weight: fc.integer({ min: 1, max: 256 }),
          priority: fc.integer({ min: 0, max: 3 }),
          connectMs: fc.integer({ min: 0, max: 100 }),
          upSinceAt: fc.integer({ min: startAt - 100_000, max: startAt + 1000 }),
        }),
        { selector: ({ id }) => id, maxLength: 8 },
      );
      fc.assert(
        fc.property(fc.array(any, { maxLength: 10 }), (sets) => {
          let state: SelectionState = {};
          for (const set of sets) {
            const selected = select(rules, set, state, startAt);
            expect(new Set(selected.picked).size).toBe(selected.picked.length);
            expect(set).toEqual(expect.arrayContaining([...selected.picked]));
            expect(selected.picked.length > 0).toBe(set.length > 0);
            state = selected.state;
          }
        }),
      );
    },
  );

  it('all answers everybody in the order of the slots', () => {
    expect(idsOf(select({ kind: 'all' }, candidates('c', 'a', 'b'), {}, startAt).picked)).toBe('cab');
  });
});

describe('round-robin', () => {
  const rules = { kind: 'round-robin' } as const;

  it('answers with everybody in turn, the others behind in the order of their turns', () => {
    let state: SelectionState = {};
    const answers = Array.from({ length: 4 }, () => {
      const selected = select(rules, candidates('a', 'b', 'c'), state, startAt);
      state = selected.state;
      return idsOf(selected.picked);
    });
    expect(answers).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  it('goes on where it was when somebody arrives or leaves', () => {
    const { state } = firsts(rules, candidates('a', 'b', 'c', 'd'), 2);
    expect(idsOf(select(rules, candidates('a', 'c', 'd'), state, startAt).picked)).toBe('cda');
    expect(idsOf(select(rules, candidates('a', 'b', 'x', 'c'), state, startAt).picked)).toBe('xcab');
    expect(idsOf(select(rules, candidates('a'), state, startAt).picked)).toBe('a');
  });

  it('is fair to within one over any run with a stable set, wherever it starts', () => {
    const ids = fc.uniqueArray(fc.constantFrom(...Array.from('abcdefghijkl')), { minLength: 1 });
    fc.assert(
      fc.property(ids, ids, fc.nat(20), fc.integer({ min: 1, max: 200 }), (before, stable, lead, times) => {
        const { state } = firsts(rules, candidates(...before), lead);
        const { answers } = firsts(rules, candidates(...stable), times, state);
        const counts = stable.map((id) => countOf(answers, id));
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('weighted', () => {
  const rules = { kind: 'weighted' } as const;
  const weighing = (...weights: readonly number[]) =>
    weights.map((weight, n) => candidate('abcdefgh'[n] ?? '?', { weight }));

  it.each([[[1, 2, 4]], [[256, 1]], [[10, 10, 10, 3]], [[7, 0, 5, 100, 33]], [[1]]])(
    'gives each its share of 100,000 answers by %j within one percent',
    (weights) => {
      const { answers } = firsts(rules, weighing(...weights), 100_000);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      weighing(...weights).forEach(({ id, weight }) => {
        const expected = (100_000 * weight) / total;
        expect(Math.abs(countOf(answers, id) - expected)).toBeLessThanOrEqual(0.01 * expected);
      });
    },
  );

  it('spreads a heavy one out and orders the others by what is due to them', () => {
    expect(firsts(rules, weighing(5, 1, 1), 7).answers.join('')).toBe('aabacaa');
    expect(idsOf(select(rules, weighing(1, 5, 3), {}, startAt).picked)).toBe('bca');
  });

  it('never answers with weight 0, not even alone', () => {
    expect(select(rules, weighing(0, 0), {}, startAt).picked).toEqual([]);
    expect(idsOf(select(rules, weighing(0, 1), {}, startAt).picked)).toBe('b');
  });

  it('is exact after every sum of the weights, with any weights', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 6 }), (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const { answers } = firsts(rules, weighing(...weights), total);
        expect(weighing(...weights).map(({ id }) => countOf(answers, id))).toEqual(weights);
      }),
    );
  });
});

describe('priority', () => {
  it('answers with the highest number among those that are up, side by side', () => {
    const rules = { kind: 'priority' } as const;
    const [a, b, c] = [
      candidate('a', { priority: 1 }),
      candidate('b', { priority: 5 }),
      candidate('c', { priority: 5 }),
    ];
    expect(idsOf(select(rules, [a, b, c], {}, startAt).picked)).toBe('bc');
    expect(idsOf(select(rules, [a, candidate('d')], {}, startAt).picked)).toBe('a');
    expect(idsOf(select(rules, candidates('d', 'e'), {}, startAt).picked)).toBe('de');
  });
});

describe('active-passive', () => {
  const rules = { kind: 'active-passive', failback: true, failbackSeconds: 60 } as const;
  const [low, high] = [candidate('low', { priority: 1 }), candidate('high', { priority: 2 })];
  const activeOf = (among: readonly Candidate[], active?: string, how: SelectionRules = rules, now = startAt) =>
    select(how, among, active === undefined ? {} : { active }, now).state.active;

  it.each<[string, readonly Candidate[], string | undefined, string | undefined]>([
    ['begins with the highest priority', [low, high], undefined, 'high'],
    ['begins with the lowest slot among equals', candidates('b', 'a'), undefined, 'b'],
    ['takes the next when the active one is gone', [low, candidate('x')], 'high', 'low'],
    ['keeps the name of the active one while there is nobody', [], 'high', 'high'],
    ['goes back to a higher one that was always up', [low, high], 'low', 'high'],
    ['stays while the higher one is up for less', [low, { ...high, upSinceAt: startAt - 59_999 }], 'low', 'low'],
    ['goes back to a higher one in time', [low, { ...high, upSinceAt: startAt - 60_000 }], 'low', 'high'],
    ['never moves to a lower one', [low, high], 'high', 'high'],
  ])('%s', (_, among, active, expected) => {
    expect(activeOf(among, active)).toBe(expected);
  });

  it('answers with the active one alone', () => {
    expect(idsOf(select(rules, [low, high], {}, startAt).picked)).toBe('high');
  });

  it('never goes back by itself without failback', () => {
    expect(activeOf([low, high], 'low', { ...rules, failback: false }, startAt + 1e9)).toBe('low');
  });

  it('changes only when the active one is gone, or a higher one was up for long enough', () => {
    const set = fc.uniqueArray(
      fc.record({
        id: fc.constantFrom(...Array.from('abcde')),
        weight: fc.constant(1),
        priority: fc.integer({ min: 0, max: 2 }),
        upSinceAt: fc.integer({ min: startAt, max: startAt + 600_000 }),
      }),
      { selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(set, fc.nat(60_000)), { maxLength: 20 }), (rounds) => {
        let now = startAt;
        let active: string | undefined;
        for (const [among, afterMs] of rounds) {
          now += afterMs;
          const next = activeOf(among, active, rules, now);
          const [from, to] = [active, next].map((id) => among.find((one) => one.id === id));
          if (from !== undefined && to !== undefined && from !== to) {
            expect(now - to.upSinceAt).toBeGreaterThanOrEqual(60_000);
            expect(to.priority).toBeGreaterThanOrEqual(from.priority);
          }
          if (among.length > 0) expect(to).toBeDefined();
          active = next;
        }
      }),
    );
  });
});
