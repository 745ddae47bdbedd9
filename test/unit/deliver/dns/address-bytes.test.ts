import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAddress } from '../../../../src/deliver/dns/answer/address-bytes.ts';

function read(text: string): number[] {
  const bytes = new Uint8Array(16).fill(0xee);
  return [...bytes.subarray(0, readAddress(text, bytes))];
}

/** One of the ways to write sixteen bytes (RFC 4291 section 2.2): `::` for one run of zeros, the end as IPv4. */
function spell(bytes: readonly number[], isDotted: boolean, gap: readonly [number, number]): string {
  const groups = Array.from({ length: 8 }, (_, n) =>
    (((bytes[2 * n] ?? 0) << 8) | (bytes[2 * n + 1] ?? 0)).toString(16),
  );
  const spelled = isDotted ? [...groups.slice(0, 6), bytes.slice(12).join('.')] : groups;
  const [from, to] = [Math.min(...gap), Math.max(...gap)];
  const isZero = from < to && to <= (isDotted ? 6 : 8) && groups.slice(from, to).every((group) => group === '0');
  return isZero ? `${spelled.slice(0, from).join(':')}::${spelled.slice(to).join(':')}` : spelled.join(':');
}

const byte = fc.integer({ min: 0, max: 255 });
const place = fc.integer({ min: 0, max: 8 });

describe('the bytes of an address', () => {
  it('are the four of an IPv4 address', () => {
    fc.assert(
      fc.property(fc.array(byte, { minLength: 4, maxLength: 4 }), (bytes) => {
        expect(read(bytes.join('.'))).toEqual(bytes);
      }),
    );
  });

  it('are the sixteen of an IPv6 address in every spelling, and the four of IPv4 in IPv6 clothes', () => {
    const sparse = fc.oneof(byte, fc.constant(0), fc.constant(0));
    const mapped = fc
      .array(byte, { minLength: 4, maxLength: 4 })
      .map((four) => [...Array(10).fill(0), 255, 255, ...four]);
    const any = fc.oneof(fc.array(sparse, { minLength: 16, maxLength: 16 }), mapped);
    fc.assert(
      fc.property(any, fc.boolean(), fc.tuple(place, place), (bytes, isDotted, gap) => {
        const text = spell(bytes, isDotted, gap);
        const isMapped = bytes.slice(0, 12).join() === [...Array(10).fill(0), 255, 255].join();
        expect(isIP(text)).toBe(6);
        expect(read(text)).toEqual(isMapped ? bytes.slice(12) : bytes);
      }),
      { numRuns: 5000 },
    );
  });

  it('leave out the zone of a link', () => {
    expect(read('fe80::1%eth0')).toEqual([0xfe, 0x80, ...Array(13).fill(0), 1]);
  });

  it('are none for what Node takes for no address', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'0129af:.%g-'.split('')), maxLength: 20 });
    fc.assert(
      fc.property(letters, (text) => {
        const [host = ''] = text.split('%');
        expect(read(text).length > 0).toBe(isIP(text.includes(':') ? host : text) !== 0);
      }),
      {
        numRuns: 20_000,
        examples: [['1.2.3'], ['1.2.3.4.5'], ['256.1.1.1'], ['1::2::3'], [':::'], ['::'], ['1:'], [':1']],
      },
    );
  });
});
