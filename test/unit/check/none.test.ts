import { describe, expect, it } from 'vitest';
import { createNoneCheck, noneSchema } from '../../../src/check/none.ts';
import { systemClock } from '../../../src/time/clock.ts';

describe('the check "none"', () => {
  it('calls every target up, even one that nobody could reach', async () => {
    const check = createNoneCheck(noneSchema.parse({ kind: 'none' }), { service: 'web', clock: systemClock });
    const target = { id: 'i-1', name: 'web-1', address: '192.0.2.1', group: 'web' };
    expect(await check.check(target, new AbortController().signal)).toMatchObject({ result: 'up', code: 'ok' });
  });

  it('takes the options that all checks have, and no others', () => {
    expect(noneSchema.parse({ kind: 'none', intervalSeconds: 1 })).toMatchObject({ intervalSeconds: 1, rise: 2 });
    expect(noneSchema.safeParse({ kind: 'none', port: 80 }).success).toBe(false);
  });
});
