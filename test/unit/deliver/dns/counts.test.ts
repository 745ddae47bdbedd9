import { describe, expect, it } from 'vitest';
import { recordTypes, responseCodes } from '../../../../src/deliver/dns/answer/wire.ts';
import { createCounts } from '../../../../src/deliver/dns/counts.ts';
import { latencyBuckets } from '../../../../src/telemetry/latency-buckets.ts';

const present = { tcpConnections: 3, cacheBytes: 4096, names: 12 };

describe('the counts of the thread that answers', () => {
  it('tell questions by type, code and transport', () => {
    const counts = createCounts();
    counts.answered(recordTypes.A, responseCodes.NOERROR, false);
    counts.answered(recordTypes.A, responseCodes.NOERROR, false);
    counts.answered(recordTypes.A, responseCodes.NOERROR, true);
    counts.answered(recordTypes.CAA, responseCodes.NXDOMAIN, false);
    counts.answered(recordTypes.SRV, responseCodes.BADVERS, true);
    counts.unanswered(recordTypes.TXT, false);
    expect(counts.take(present).queries).toEqual({
      'A NOERROR udp': 2,
      'A NOERROR tcp': 1,
      'CAA NXDOMAIN udp': 1,
      'SRV BADVERS tcp': 1,
      'TXT dropped udp': 1,
    });
  });

  it('have few keys whatever is asked: numbers without a name are one', () => {
    const counts = createCounts();
    for (let type = 0; type < 65_536; type += 1) counts.answered(type, type % 4096, type % 2 === 0);
    counts.unanswered(0, false);
    const { queries } = counts.take(present);
    expect(queries['other other udp']).toBeGreaterThan(30_000);
    expect(queries['other dropped udp']).toBe(1);
    expect(Object.keys(queries).length).toBeLessThan(100);
    expect(Object.values(queries).reduce((sum, count) => sum + count)).toBe(65_537);
  });

  it('put times into buckets whose bounds belong to them, and add them up', () => {
    const counts = createCounts();
    counts.took(0.000_05, 16);
    counts.took(0.000_051, 1);
    counts.took(60, 1);
    const { latency, latencySumSeconds } = counts.take(present);
    expect(latency).toEqual([0, 16, 1, ...Array.from({ length: latencyBuckets.length - 3 }, () => 0), 1]);
    expect(latencySumSeconds).toBeCloseTo(60.000_851, 9);
  });

  it('tell cache, limits and other servers, of whose times only answers count', () => {
    const counts = createCounts();
    counts.cache('hit');
    counts.cache('stale');
    counts.limited('truncated');
    counts.upstream('192.0.2.1:53', 'answer', 0.02);
    counts.upstream('192.0.2.1:53', 'timeout', 1);
    const taken = counts.take(present);
    expect(taken.cache).toEqual({ hit: 1, stale: 1 });
    expect(taken.limited).toEqual({ truncated: 1 });
    expect(taken.upstream).toEqual({ '192.0.2.1:53 answer': 1, '192.0.2.1:53 timeout': 1 });
    expect(taken.upstreamSumSeconds).toBe(0.02);
    expect(taken.upstreamLatency.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('begin anew after they were taken, but for the values of the moment', () => {
    const counts = createCounts();
    counts.answered(1, 0, false);
    counts.took(1, 1);
    counts.upstream('192.0.2.1:53', 'answer', 1);
    counts.cache('miss');
    counts.limited('dropped');
    counts.take(present);
    const nothing = latencyBuckets.concat(0).map(() => 0);
    expect(counts.take(present)).toEqual({
      ...present,
      queries: {},
      cache: {},
      limited: {},
      upstream: {},
      latency: nothing,
      latencySumSeconds: 0,
      upstreamLatency: nothing,
      upstreamSumSeconds: 0,
    });
  });
});
