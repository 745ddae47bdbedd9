import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPythonTime, noTime, parsePythonTime } from '../../../src/publish/python-time.ts';

describe("Python's way to write a time", () => {
  it('is read with six digits, fewer, or none', () => {
    const second = Date.UTC(2020, 10, 12, 17, 29, 8);
    expect(parsePythonTime('2020-11-12 17:29:08.597604')).toBe(second + 597);
    expect(parsePythonTime('2020-11-12 17:29:08.5')).toBe(second + 500);
    expect(parsePythonTime('2020-11-12 17:29:08')).toBe(second);
    expect(parsePythonTime('2020-11-12T17:29:08')).toBe(second);
  });

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 0) }), (at) => {
        expect(parsePythonTime(formatPythonTime(at))).toBe(at);
      }),
    );
    expect(formatPythonTime(Date.UTC(2020, 10, 12, 17, 29, 8))).toBe('2020-11-12 17:29:08.000000');
  });

  it('is nothing for any other text, and for days that do not exist', () => {
    for (const text of [
      '',
      noTime,
      'none',
      '2020-02-30 10:00:00',
      '2020-13-01 10:00:00',
      '2020-01-01 25:00:00.0',
      '2020-01-01',
      '2020-01-01 10:00:00+01:00',
    ]) {
      expect(parsePythonTime(text)).toBeUndefined();
    }
    fc.assert(fc.property(fc.string(), (text) => void parsePythonTime(text)));
  });
});
