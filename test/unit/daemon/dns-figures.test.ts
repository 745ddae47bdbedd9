import { describe, expect, it } from 'vitest';
import { createDnsFigures } from '../../../src/daemon/dns/dns-figures.ts';
import type { DnsCounts } from '../../../src/deliver/dns/protocol.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const counts = (fields: Partial<DnsCounts>): DnsCounts => ({
  queries: {},
  latency: [],
  latencySumSeconds: 0,
  cache: {},
  limited: {},
  upstream: {},
  upstreamLatency: [],
  upstreamSumSeconds: 0,
  tcpConnections: 0,
  cacheBytes: 0,
  names: 0,
  ...fields,
});

describe('the figures of DNS for people', () => {
  it('tell the questions a second over the last ten, of all types and codes', async () => {
    const clock = createFakeClock();
    const figures = createDnsFigures(clock);
    expect(figures.queriesPerSecond()).toBe(0);
    for (let second = 0; second < 20; second += 1) {
      figures.note(counts({ queries: { 'A NOERROR udp': 30, 'AAAA NXDOMAIN tcp': 10 }, names: 12 }));
      await clock.advance(1000);
    }
    expect(figures.queriesPerSecond()).toBeGreaterThanOrEqual(36);
    expect(figures.queriesPerSecond()).toBeLessThanOrEqual(40);
    expect(figures.names()).toBe(12);
    await clock.advance(10_000);
    expect(figures.queriesPerSecond()).toBe(0);
  });

  it('tell of each server how it answered within a minute, and whether it did when it was last asked', async () => {
    const clock = createFakeClock();
    const figures = createDnsFigures(clock);
    figures.note(counts({ upstream: { '10.0.0.2:53 answer': 3, '10.0.0.1:53 answer': 5, '10.0.0.1:53 timeout': 1 } }));
    await clock.advance(1000);
    figures.note(
      counts({ upstream: { '10.0.0.1:53 timeout': 2, '10.0.0.1:53 mismatch': 1, '10.0.0.2:53 answer': 0 } }),
    );
    expect(figures.upstreams()).toEqual([
      { server: '10.0.0.1:53', answers: 5, failures: 4, isUp: false },
      { server: '10.0.0.2:53', answers: 3, failures: 0, isUp: true },
    ]);
    await clock.advance(60_000);
    expect(figures.upstreams()).toEqual([]);
  });
});
