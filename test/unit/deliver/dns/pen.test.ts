import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPen, type Pen } from '../../../../src/deliver/dns/records/pen.ts';

/** What is written, and the bytes that it is. */
type Stroke = readonly [write: (pen: Pen) => void, bytes: readonly number[]];

const stroke: fc.Arbitrary<Stroke> = fc.oneof(
  fc.nat(0xff).map((value): Stroke => [(pen) => pen.uint8(value), [value]]),
  fc.nat(0xffff).map((value): Stroke => [(pen) => pen.uint16(value), [value >>> 8, value & 255]]),
  fc
    .integer()
    .map(
      (value): Stroke => [
        (pen) => pen.int32(value),
        [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255],
      ],
    ),
  fc.nat(300).map((count): Stroke => [(pen) => pen.zeros(count), Array.from({ length: count }, () => 0)]),
  fc.uint8Array({ maxLength: 900 }).map((bytes): Stroke => [(pen) => pen.copy(bytes), [...bytes]]),
  fc.constant<Stroke>([(pen) => pen.name('a.bc'), [1, 97, 2, 98, 99, 0]]),
);

describe('a pen', () => {
  it('writes what it is told, wherever its memory comes to an end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4060, max: 4100 }), fc.array(stroke, { maxLength: 60 }), (first, strokes) => {
        const pen = createPen();
        pen.zeros(first);
        for (const [write] of strokes) write(pen);
        expect([...pen.take(first)]).toEqual(strokes.flatMap(([, bytes]) => bytes));
        expect(pen.place()).toBe(first);
      }),
      { numRuns: 300 },
    );
  });
});
