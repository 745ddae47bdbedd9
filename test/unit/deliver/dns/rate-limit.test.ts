import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dnsSchema } from '../../../../src/deliver/dns/config.ts';
import { addressBytes } from '../../../../src/deliver/dns/network.ts';
import { createRateLimit, type LimitOutcome } from '../../../../src/deliver/dns/rate-limit.ts';

type Options = Partial<{ perSecond: number; slip: number; ipv4Prefix: number; ipv6Prefix: number; exempt: string[] }>;

/** A limit with no exempt networks and a time of the test's own. */
function limitWith(options: Options) {
  const time = { nowMs: 1000 };
  const config = dnsSchema.parse({ rateLimit: { exempt: [], ...options } }).rateLimit;
  const limit = createRateLimit(config, () => time.nowMs);
  if (!limit) throw new Error('switched off');
  const judgeBytes = (address: Uint8Array, hash: number) =>
    limit.covers(address) ? limit.judge(address, hash) : 'send';
  return {
    time,
    judgeBytes,
    judge: (address: string, hash = 7) => judgeBytes(addressBytes(address), hash),
    burst: (count: number, address: string, hash = 7) =>
      Array.from({ length: count }, () => judgeBytes(addressBytes(address), hash)),
  };
}

const sent = (outcomes: readonly LimitOutcome[]) => outcomes.filter((outcome) => outcome === 'send').length;

describe('the limit of answers', () => {
  it('lets as many equal answers pass in every span of time as it says, and no more', () => {
    const gapsMs = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 300, noNaN: true })), {
      minLength: 50,
      maxLength: 300,
    });
    fc.assert(
      fc.property(gapsMs, fc.integer({ min: 1, max: 20 }), (gaps, perSecond) => {
        const { judge, time } = limitWith({ perSecond });
        const passedAt: number[] = [];
        for (const gap of gaps) {
          time.nowMs += gap;
          if (judge('192.0.2.1') === 'send') passedAt.push(time.nowMs);
        }
        for (const [first, from] of passedAt.entries())
          for (const [last, to] of passedAt.slice(first).entries())
            expect(last + 1).toBeLessThanOrEqual(perSecond * ((to - from) / 1000 + 1) + 1e-6);
      }),
      { numRuns: 100 },
    );
  });

  it('limits nobody who stays below the rate, however unevenly', () => {
    const moments = fc.array(fc.double({ min: 0, max: 999, noNaN: true }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(moments, { maxLength: 20 }), (seconds) => {
        // Five in each second of the clock are up to ten in a span of one second: what the account holds and earns.
        const { judge, time } = limitWith({ perSecond: 10 });
        for (const [second, at] of seconds.entries())
          for (const moment of [...at].sort((left, right) => left - right)) {
            time.nowMs = 1000 + second * 1000 + moment;
            expect(judge('192.0.2.1')).toBe('send');
          }
      }),
    );
  });

  it('counts the addresses of one network together, and other networks and other answers apart', () => {
    const { burst, judge } = limitWith({ perSecond: 10, slip: 0 });
    expect(sent(burst(50, '192.0.2.1'))).toBe(10);
    expect(judge('192.0.2.255')).toBe('drop');
    expect(judge('192.0.3.1')).toBe('send');
    expect(judge('192.0.2.1', 8)).toBe('send');
    expect(sent(burst(50, '2001:db8:0:100::1'))).toBe(10);
    expect(judge('2001:db8:0:1ff:ffff::1')).toBe('drop');
    expect(judge('2001:db8:0:200::1')).toBe('send');
  });

  it('knows prefixes of any length', () => {
    const { burst, judge } = limitWith({ perSecond: 1, slip: 0, ipv4Prefix: 32, ipv6Prefix: 128 });
    burst(2, '192.0.2.1');
    burst(2, '2001:db8::1');
    expect([judge('192.0.2.1'), judge('192.0.2.2')]).toEqual(['drop', 'send']);
    expect([judge('2001:db8::1'), judge('2001:db8::2')]).toEqual(['drop', 'send']);
  });

  it('sends every slip-th of those it holds back without records, and drops the others', () => {
    const held = (slip: number) => limitWith({ perSecond: 1, slip }).burst(7, '192.0.2.1').slice(1);
    expect(held(2)).toEqual(['drop', 'truncate', 'drop', 'truncate', 'drop', 'truncate']);
    expect(held(3)).toEqual(['drop', 'drop', 'truncate', 'drop', 'drop', 'truncate']);
    expect(new Set(held(1))).toEqual(new Set(['truncate']));
    expect(new Set(held(0))).toEqual(new Set(['drop']));
  });

  it('gives credits back with time, up to one second of them', () => {
    const { burst, time } = limitWith({ perSecond: 10 });
    burst(50, '192.0.2.1');
    time.nowMs += 300;
    expect(sent(burst(50, '192.0.2.1'))).toBe(3);
    time.nowMs += 3_600_000;
    expect(sent(burst(50, '192.0.2.1'))).toBe(10);
  });

  it('does not know exempt networks, and nobody at all when it is off', () => {
    const { burst } = limitWith({ perSecond: 1, exempt: ['192.0.2.0/25', '2001:db8::/32'] });
    expect(sent(burst(100, '192.0.2.5'))).toBe(100);
    expect(sent(burst(100, '2001:db8::9'))).toBe(100);
    expect(sent(burst(100, '192.0.2.129'))).toBe(1);
    expect(createRateLimit(dnsSchema.parse({ rateLimit: { perSecond: 0 } }).rateLimit, () => 0)).toBeUndefined();
  });

  it('keeps an account under fire while forged addresses fill the table ten times over', () => {
    const { judge, judgeBytes, time } = limitWith({ perSecond: 10, slip: 0, ipv4Prefix: 32 });
    let passed = 0;
    for (let query = 0; query < 650_000; query += 1) {
      time.nowMs += 0.003;
      judgeBytes(Uint8Array.of(11, query >>> 16, query >>> 8, query), 7);
      if (query % 100 === 0 && judge('192.0.2.1') === 'send') passed += 1;
    }
    // 1.95 s have passed at 10 a second, after the first ten.
    expect(passed).toBe(29);
  });

  it('leaves strangers alone: of ten thousand networks beside a flood, none is limited', () => {
    const { burst, judge } = limitWith({ perSecond: 5 });
    burst(1000, '192.0.2.1');
    const outcomes = Array.from({ length: 10_000 }, (_, at) => judge(`10.${at >>> 8}.${at & 255}.1`));
    expect(sent(outcomes)).toBe(10_000);
  });
});
