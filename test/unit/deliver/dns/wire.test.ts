import { encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codeName,
  isNamedType,
  recordTypes,
  responseCodes,
  typeName,
  writeName,
} from '../../../../src/deliver/dns/answer/wire.ts';

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*'.split('');
const label = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 63 });

describe('the spelling of names', () => {
  it('is that of RFC 1035: labels with their lengths, in the case that was given, and the root at the end', () => {
    expect([...writeName('Web.a')]).toEqual([3, 0x57, 0x65, 0x62, 1, 0x61, 0]);
    expect([...writeName('')]).toEqual([0]);
  });

  it('is what dns-packet spells, for every name of up to 255 bytes', () => {
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 6 }), (labels) => {
        const text = labels.join('.');
        fc.pre(text.length <= 253);
        const packet = encode({ questions: [{ type: 'A', name: text }] });
        expect(Buffer.from(writeName(text))).toEqual(packet.subarray(12, -4));
      }),
    );
  });

  it('takes labels of 63 bytes and names of 255, and nothing longer', () => {
    const long = 'a'.repeat(63);
    expect(writeName([long, long, long, 'a'.repeat(61)].join('.'))).toHaveLength(255);
    expect(() => writeName([long, long, long, 'a'.repeat(62)].join('.'))).toThrow('254 letters, expected up to 253');
    expect(() => writeName(`a.${long}a.b`)).toThrow('a label of 64 bytes, expected 1 to 63');
  });

  it('says which name it cannot spell, and why', () => {
    for (const name of ['.', 'a..b', '.a', 'a.']) expect(() => writeName(name)).toThrow('a label of 0 bytes');
    expect(() => writeName('bücher.test')).toThrow('Cannot spell the name "bücher.test": expected ASCII letters');
  });
});

describe('the numbers of types and codes', () => {
  it('have the names that people know, and those without one are told by their number', () => {
    expect(typeName(recordTypes.AAAA)).toBe('AAAA');
    expect([typeName(4711), isNamedType(4711), isNamedType(255)]).toEqual(['TYPE4711', false, true]);
    expect([codeName(responseCodes.BADVERS), codeName(11)]).toEqual(['BADVERS', 'RCODE11']);
  });
});
