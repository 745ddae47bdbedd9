import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMoved, lastMoved } from '../../../src/publish/dynamodb-moved.ts';

const indexes = fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { maxLength: 120 });
const rounds = fc.array(indexes, { minLength: 1, maxLength: 30 });
const first = 1000;

/** What item 0 says after these revisions, the first of which is `first`. */
const written = (moves: readonly (readonly number[])[]) =>
  moves.reduce<string | undefined>((known, moved, n) => addMoved(first + n, moved, known), undefined);

describe('the slots that the last revisions wrote', () => {
  it('are known of the newest revisions without a gap, exactly, or not at all', () => {
    fc.assert(
      fc.property(rounds, fc.nat(30), (moves, back) => {
        const upTo = first + moves.length - 1;
        const since = upTo - Math.min(back, moves.length);
        const found = lastMoved(written(moves), { since, upTo, maxIndex: 10_000 });
        if (!found) return;
        const expected = new Map<number, number>();
        for (const [n, moved] of moves.entries()) for (const index of moved) expected.set(index, first + n);
        for (const [index, revision] of found) expect(revision).toBe(expected.get(index));
        for (const [index, revision] of expected) if (revision > since) expect(found.get(index)).toBe(revision);
      }),
    );
  });

  it('never take more than 600 bytes', () => {
    fc.assert(
      fc.property(rounds, (moves) => {
        expect((written(moves) ?? '').length).toBeLessThanOrEqual(600);
      }),
    );
  });

  it('are kept for a large change in parts, since what lies together is short', () => {
    const parts = Array.from({ length: 11 }, (_, n) => Array.from({ length: 99 }, (_, i) => n * 99 + i + 1));
    const found = lastMoved(written(parts), { since: first - 1, upTo: first + 10, maxIndex: 1000 });
    expect(found?.size).toBe(1000);
    expect(found?.get(100)).toBe(first + 1);
  });

  it('are not known when a revision is missing, when one is too large, or when anybody else wrote the text', () => {
    const question = { since: 6, upTo: 8, maxIndex: 100 };
    const odd = Array.from({ length: 300 }, (_, n) => 2 * n + 1);
    for (const text of [undefined, '-', '8:1', '7:1', '8:1;6:2', '8:1;7:x', '8:;7', addMoved(8, odd, '7:1')]) {
      expect(lastMoved(text, question), text).toBeUndefined();
    }
    expect(addMoved(9, [1], addMoved(8, odd, '7:1'))).toBe('9:1');
    expect(lastMoved('9:5;8:1-2,4;7:1-99999;6:3', question)?.size).toBe(100);
    expect(lastMoved('8:;7:', question)?.size).toBe(0);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => lastMoved(text, question)).not.toThrow();
      }),
    );
  });
});
