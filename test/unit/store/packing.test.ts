import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, unpack } from '../../../src/store/packing.ts';

describe('packing', () => {
  it('gives every text back as it was', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      // Long enough to be made shorter.
      fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 300 })
        .map((text) => text.repeat(Math.ceil(9000 / text.length))),
      fc.tuple(fc.constantFrom('\0', '\0z', '\ufeff'), fc.string()).map((parts) => parts.join('')),
    );
    fc.assert(fc.property(texts, (text) => unpack('k', pack(text)) === text));
  });

  it('leaves short texts readable and makes long ones shorter', () => {
    expect(pack('{"holder":"a"}').toString()).toBe('{"holder":"a"}');
    expect(pack('slot '.repeat(50_000)).length).toBeLessThan(5000);
  });

  it('refuses what hsdo did not write, also what would grow beyond the longest value', () => {
    const bomb = pack('x'.repeat(10 * 1024 * 1024));
    for (const bytes of [Buffer.from([0xff, 0xfe]), Buffer.from('\0zgarbage'), bomb]) {
      expect(() => unpack('hsdo/lease', bytes)).toThrow(/Cannot read "hsdo\/lease": its value is no text/);
    }
  });
});
