import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateLimit, neighbourhoodOf } from '../../../src/api/rate-limit.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

describe('a rate limit', () => {
  it('lets nobody have more than the burst and what was refilled since, whenever they ask', async () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 20 }), async (pauses, perSecond) => {
        const clock = createFakeClock();
        const limit = createRateLimit({ perSecond, burst: 5, clock });
        let allowed = 0;
        for (const pause of pauses) {
          await clock.advance(pause);
          if (limit.take('192.0.2.1') === 0) allowed += 1;
          expect(allowed).toBeLessThanOrEqual(5 + (clock.monotonic() / 1000) * perSecond + 0.001);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('counts each address by itself, and a network of IPv6 as one', () => {
    const limit = createRateLimit({ perSecond: 1, burst: 1, clock: createFakeClock() });
    expect([limit.take('192.0.2.1'), limit.take('192.0.2.1'), limit.take('::ffff:192.0.2.1')]).toEqual([0, 1, 1]);
    expect([limit.take('192.0.2.2'), limit.take('2001:db8::1'), limit.take('2001:DB8:0:0:ffff::2')]).toEqual([0, 0, 1]);
    expect(limit.take('2001:db8:0:1::1')).toBe(0);
    expect([neighbourhoodOf('::1'), neighbourhoodOf('fe80::1%eth0')]).toEqual(['0:0:0:0', 'fe80:0:0:0']);
  });
});
