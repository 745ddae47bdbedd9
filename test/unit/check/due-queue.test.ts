import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDueQueue, type Due } from '../../../src/check/due-queue.ts';

type Step = readonly [kind: 'add' | 'remove' | 'move', which: number, dueAt: number];
const step = fc.tuple(fc.constantFrom('add', 'remove', 'move'), fc.nat(30), fc.nat(50)) as fc.Arbitrary<Step>;

describe('a due queue', () => {
  it('has the earliest first, whatever was added, moved or taken out before', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = createDueQueue<Due>();
        const items = Array.from({ length: 31 }, () => ({ dueAt: 0, place: -1 }));
        const waiting = new Set<Due>();
        for (const [kind, which, dueAt] of steps) {
          const item = items[which] as Due;
          if (kind === 'remove') {
            queue.remove(item);
            waiting.delete(item);
          } else if (kind === 'add' && !waiting.has(item)) {
            item.dueAt = dueAt;
            queue.add(item);
            waiting.add(item);
          } else if (kind === 'move') {
            item.dueAt = dueAt;
            queue.moved(item);
          }
          const sorted = [...waiting].map((one) => one.dueAt).sort((a, b) => a - b);
          expect(queue.first()?.dueAt).toBe(sorted[0]);
          expect(queue.countDue(25)).toBe(sorted.filter((at) => at <= 25).length);
        }
        const taken: number[] = [];
        for (let first = queue.first(); first !== undefined; first = queue.first()) {
          taken.push(first.dueAt);
          queue.remove(first);
          expect(first.place).toBe(-1);
        }
        expect(taken).toEqual([...waiting].map((one) => one.dueAt).sort((a, b) => a - b));
      }),
    );
  });
});
