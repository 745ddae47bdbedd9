import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logLine } from '../../../src/telemetry/log-line.ts';

describe('a log line for people', () => {
  it('is the message and what varies beside it, quoted where that is more than a word', () => {
    const always = { level: 30, time: 1, pid: 2 };
    expect(logLine({ ...always, service: 'web', slot: 1, reason: 'it is gone', empty: '', msg: 'slot' })).toBe(
      'slot  service=web  slot=1  reason="it is gone"  empty=""',
    );
    expect(logLine({ ...always, roles: { server: true }, list: [1, 'a'], msg: 'begins' })).toBe(
      'begins  roles={"server":true}  list=[1,"a"]',
    );
  });

  it('is one line that moves no cursor, whatever the values are', () => {
    expect(logLine({ target: '\u001b[2J\n\u009b2J', msg: 'a\rb' })).toBe('a\\u{d}b  target="\\u001b[2J\\n\\u{9b}2J"');
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (fields) => {
        const json = JSON.parse(
          JSON.stringify({ ...fields, msg: 'm' }, (_, value: unknown) => (typeof value === 'bigint' ? 1 : value)),
        ) as object;
        expect(logLine({ ...json })).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
  });
});
