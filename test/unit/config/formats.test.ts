import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boolean,
  decimal,
  type Format,
  integer,
  mapping,
  names,
  oneOf,
  seconds,
  text,
} from '../../../src/config/formats.ts';

const numbers: readonly (readonly [string, Format])[] = [
  ['integer', integer(0, 1_000_000)],
  ['decimal', decimal(0, 1_000_000)],
  ['seconds', seconds],
];

describe('a number of the configuration', () => {
  it.each(numbers)('as %s is never made of a word, a list or a number with something behind it', (_, format) => {
    for (const value of ['no', '12abc', '1e3', '0x10', '', ' ', '1 2', '+5', '--5', '1,5', 'NaN', 'Infinity', '١٢']) {
      expect(format.parse(value), String(value)).toBeUndefined();
    }
    for (const value of [
      true,
      null,
      undefined,
      [5],
      { valueOf: () => 5 },
      Number.NaN,
      Number.POSITIVE_INFINITY,
      1e21,
    ]) {
      expect(format.parse(value)).toBeUndefined();
    }
  });

  it('as integer has no fraction', () => {
    for (const value of ['80.9', '80.0', 80.9, '80.']) expect(integer(1, 100).parse(value)).toBeUndefined();
  });

  it('is taken exactly within its bounds, as text and as number', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), (a, b, value) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        const expected = value >= min && value <= max ? value : undefined;
        expect(integer(min, max).parse(value)).toBe(expected);
        expect(integer(min, max).parse(` ${value} `)).toBe(expected);
        expect(decimal(min, max).parse(String(value))).toBe(expected);
      }),
    );
  });

  it('is either what Number reads of plain digits, or refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^-?[0-9.eE+x ]{0,8}$/)), (value) => {
        const parsed = decimal(-1e9, 1e9).parse(value);
        if (parsed === undefined) return;
        expect(value.trim()).toMatch(/^-?\d+(\.\d+)?$/);
        expect(parsed).toBe(Number(value.trim()));
      }),
    );
  });
});

describe('the other values of the configuration', () => {
  it('are true or false for these words alone', () => {
    expect(['true', 'TRUE', ' True ', true].map((value) => boolean.parse(value))).toEqual([true, true, true, true]);
    expect(['false', false].map((value) => boolean.parse(value))).toEqual([false, false]);
    for (const value of ['no', 'yes', 'on', 'off', '0', '1', 0, 1, '', null, 'truee']) {
      expect(boolean.parse(value), String(value)).toBeUndefined();
    }
  });

  it('are text on one line and never empty', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const parsed = text.parse(value);
        const isFine = value.trim().length > 0 && !/\p{Cc}/u.test(value.trim());
        expect(parsed).toBe(isFine ? value.trim() : undefined);
      }),
    );
    for (const value of ['a\nb', 'a\u0000', true, null, ['a']]) expect(text.parse(value)).toBeUndefined();
  });

  it('are names between commas, none of them empty', () => {
    expect(names.parse('a, b ,c')).toEqual(['a', 'b', 'c']);
    expect(names.parse(['a', 'b'])).toEqual(['a', 'b']);
    for (const value of ['a,,b', ',', 'a,', '', [], ['a', ''], ['a', null], 5, { a: 1 }]) {
      expect(names.parse(value), JSON.stringify(value)).toBeUndefined();
    }
  });

  it('are one of the words that are allowed, to the letter', () => {
    const format = oneOf('aws', 'consul');
    expect(format.parse(' aws ')).toBe('aws');
    for (const value of ['AWS', 'aw', '', undefined, ['aws']]) expect(format.parse(value)).toBeUndefined();
  });

  it('are a map, also as JSON from the environment', () => {
    expect(mapping.parse('{"a":{"baseName":"b"}}')).toEqual({ a: { baseName: 'b' } });
    for (const value of ['[]', '"a"', 'a: b', '{', null, 5, ''])
      expect(mapping.parse(value), String(value)).toBeUndefined();
  });
});
