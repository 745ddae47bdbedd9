import { describe, expect, it } from 'vitest';
import { every } from '../../../src/time/every.ts';
import { createHeartbeats, heartbeatOf } from '../../../src/time/heartbeats.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

describe('heartbeats', () => {
  it('find a loop whose task never ends, by its name, and no other', async () => {
    const fake = createFakeClock();
    const { clock, hung } = createHeartbeats(fake, 30_000);
    const stop = new AbortController();
    let hangs = false;
    const task = () => (hangs ? new Promise<never>(() => {}) : Promise.resolve());
    void every({ name: 'rounds of web', intervalMs: 1000, clock }, task, stop.signal);
    const other = every({ name: 'votes', intervalMs: 600_000, clock }, async () => {}, stop.signal);
    await fake.advance(100_000);
    expect(hung()).toEqual([]);
    hangs = true;
    await fake.advance(30_000);
    expect(hung()).toEqual([]);
    await fake.advance(2000);
    expect(hung()).toEqual([{ loop: 'rounds of web', overdueMs: expect.any(Number) as number }]);
    stop.abort();
    await other;
  });

  it('find a loop that does not come back from its rest, however long that is', async () => {
    const fake = createFakeClock();
    const { clock, hung } = createHeartbeats(fake, 30_000);
    const heartbeat = heartbeatOf(clock, 'a source');
    heartbeat.beat(120_000);
    await fake.advance(149_000);
    expect(hung()).toEqual([]);
    await fake.advance(2000);
    expect(hung()).toEqual([{ loop: 'a source', overdueMs: 31_000 }]);
    heartbeat.beat();
    expect(hung()).toEqual([]);
  });

  it('forget a loop that has ended, and take no notice of a clock that is not theirs', async () => {
    const fake = createFakeClock();
    const { clock, hung } = createHeartbeats(fake, 30_000);
    const stop = new AbortController();
    const loop = every({ intervalMs: 1000, clock }, async () => {}, stop.signal);
    const failing = every({ intervalMs: 1000, clock }, () => Promise.reject(new Error('a bug')), stop.signal);
    await expect(failing).rejects.toThrow('a bug');
    heartbeatOf(fake, 'elsewhere').beat();
    stop.abort();
    await loop;
    await fake.advance(100_000);
    expect(hung()).toEqual([]);
  });
});
