import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isSecret, secret, withoutSecrets } from '../../../src/model/secret.ts';

describe('a secret', () => {
  it('is shown by no way of printing it', () => {
    const one = secret('hush');
    expect([String(one), JSON.stringify({ one }), inspect(one), inspect({ one })].join()).not.toContain('hush');
    expect([one.reveal(), isSecret(one), isSecret('hush'), isSecret(null)]).toEqual(['hush', true, false, false]);
  });

  it('is taken out of a text as a whole, also where another one is a part of it', () => {
    const secrets = [secret('abc'), secret('abcdef'), secret('')];
    expect(withoutSecrets('abcdef and abc, abcabc', secrets)).toBe('*** and ***, ******');
    expect(withoutSecrets('nothing of that', secrets)).toBe('nothing of that');
  });
});
