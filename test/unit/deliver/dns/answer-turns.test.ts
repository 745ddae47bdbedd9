import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileChapter } from '../../../../src/deliver/dns/records/compile.ts';
import type { Chapter, RecordOrder } from '../../../../src/deliver/dns/records/records.ts';
import { a, apex, asking, tableOf } from './answering.ts';

interface Turns {
  readonly order: RecordOrder;
  readonly answers?: number;
  /** One address for each: 10.0.0.1 and on. */
  readonly weights: readonly number[];
  readonly ttlSeconds?: number;
}

const chapterOf = ({ order, answers, weights, ttlSeconds = 5 }: Turns, key = 'web'): Chapter => ({
  key,
  names: [
    {
      name: `${key}.${apex}`,
      apex,
      otherTypes: 'nodata',
      sets: [
        {
          type: 'A',
          ttlSeconds,
          order,
          answers: answers ?? weights.length,
          records: weights.map((weight, n) => ({ data: a(`10.0.0.${n + 1}`), weight })),
        },
      ],
    },
  ],
});

/** Asks for the addresses again and again; each by its number. */
function asks(...chapters: readonly Chapter[]) {
  const table = tableOf(...chapters);
  const { ask } = asking(table);
  return {
    table,
    next: (name = 'web') => ask(`${name}.${apex}`).answers.map((answer) => Number(answer.split('.').at(-1))),
    install(chapter: Chapter) {
      table.install(compileChapter(chapter));
      expect(table.settle(1)).toBe(true);
    },
  };
}

const times = <T>(count: number, ask: () => T): T[] => Array.from({ length: count }, ask);
const shares = (firsts: readonly (number | undefined)[], count: number) =>
  times(count, () => 0).map((_, n) => firsts.filter((first) => first === n + 1).length);

/** For properties, on a machine that has other things to do. */
const patienceMs = 60_000;

describe('records in a fixed order', () => {
  it('stand as they were given, the first ones where not all are', () => {
    const { next } = asks(chapterOf({ order: 'fixed', weights: [1, 1, 1], answers: 2 }));
    expect(times(3, next)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });
});

describe('records that take turns', () => {
  it('begin one further with each answer, the others behind in their order', () => {
    const { next } = asks(chapterOf({ order: 'turns', weights: [1, 1, 1] }));
    expect(times(4, next)).toEqual([
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
      [1, 2, 3],
    ]);
  });

  it(
    'are in equally many answers, however many are in one',
    () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), (count, answers) => {
          const { next } = asks(chapterOf({ order: 'turns', weights: times(count, () => 1), answers }));
          const given = times(2 * count, next);
          const some = Math.min(answers, count);
          expect(shares(given.flat(), count)).toEqual(times(count, () => 2 * some));
          for (const one of given) expect(new Set(one).size).toBe(some);
        }),
      );
    },
    patienceMs,
  );

  it('are counted for each name and type on its own, and by no question for another type', () => {
    const { next, table } = asks(
      chapterOf({ order: 'turns', weights: [1, 1] }),
      chapterOf({ order: 'turns', weights: [1, 1, 1] }, 'api'),
    );
    expect([next(), next('api'), next('api'), next()]).toEqual([
      [1, 2],
      [1, 2, 3],
      [2, 3, 1],
      [2, 1],
    ]);
    asking(table).ask(`web.${apex}`, 'TXT');
    expect(next()).toEqual([1, 2]);
  });

  it('go on where they were when their chapter is replaced, also by one with other records', () => {
    const { next, install } = asks(chapterOf({ order: 'turns', weights: [1, 1, 1, 1] }));
    times(2, next);
    install(chapterOf({ order: 'turns', weights: [1, 1, 1, 1], ttlSeconds: 1 }));
    expect(next()).toEqual([3, 4, 1, 2]);
    install(chapterOf({ order: 'turns', weights: [1, 1] }));
    expect(next()).toEqual([2, 1]);
    install(chapterOf({ order: 'weighted', weights: [1, 1] }));
    expect(next()).toEqual([1, 2]);
  });
});

const weightsOf = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 12 });

describe('weighted records', () => {
  it(
    'come first exactly as often as they weigh, over as many answers as all weigh together',
    () => {
      fc.assert(
        fc.property(weightsOf, fc.integer({ min: 1, max: 12 }), (weights, answers) => {
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          fc.pre(total > 0);
          const { next } = asks(chapterOf({ order: 'weighted', weights, answers }));
          for (const round of [1, 2]) {
            const firsts = times(total, next).map(([first]) => first);
            expect([round, shares(firsts, weights.length)]).toEqual([round, weights]);
          }
        }),
      );
    },
    patienceMs,
  );

  it('do not come in bursts: after every answer each is within one of its share', () => {
    const weights = [5, 1, 1];
    const { next } = asks(chapterOf({ order: 'weighted', weights, answers: 1 }));
    // As nginx has it.
    expect(times(7, next).flat()).toEqual([1, 1, 2, 1, 3, 1, 1]);
  });

  it('take weights of two bytes', () => {
    const { next } = asks(chapterOf({ order: 'weighted', weights: [65_535, 65_535, 1], answers: 1 }));
    expect(shares(times(1000, next).flat(), 3)).toEqual([500, 500, 0]);
  });

  it('stand in their order when none weighs anything', () => {
    const { next } = asks(chapterOf({ order: 'weighted', weights: [0, 0] }));
    expect(times(2, next)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('go on where they were when their chapter is replaced, and keep their shares', () => {
    const weights = [3, 2, 1];
    const { next, install } = asks(chapterOf({ order: 'weighted', weights, answers: 1 }));
    const firsts = times(60, () => {
      install(chapterOf({ order: 'weighted', weights, answers: 1 }));
      return next();
    }).flat();
    expect(shares(firsts, 3)).toEqual([30, 20, 10]);
  });

  it('come to their new shares when weights change with every answer, as in slow start', () => {
    const { next, install } = asks(chapterOf({ order: 'weighted', weights: [100, 1], answers: 1 }));
    for (let weight = 2; weight <= 100; weight += 1) {
      install(chapterOf({ order: 'weighted', weights: [100, weight], answers: 1 }));
      next();
    }
    expect(shares(times(100, next).flat(), 2)).toEqual([50, 50]);
  });
});
