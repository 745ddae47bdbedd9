import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setUp, target, targets } from './scheduler-stage.ts';

const gaps = (instants: readonly number[]) => instants.slice(1).map((at, index) => at - (instants[index] ?? 0));

/** For scenes of thousands of probes, on a machine that has other work. */
const longMs = 60_000;

describe('the schedule of checks', () => {
  it('asks each target from start to start of its interval, however long the probes take', async () => {
    const stage = setUp();
    stage.world.tookMs = ({ id }) => (id === 'i-0' ? 400 : 3);
    stage.scheduler.set('web', stage.job(targets(2)));
    await stage.clock.advance(60_500);
    for (const id of ['i-0', 'i-1']) {
      const [first = 0, second = 0, ...turns] = stage.startsOf(id);
      expect(turns.length).toBeGreaterThanOrEqual(58);
      expect(first).toBeLessThan(1);
      expect(second).toBeLessThanOrEqual(1000);
      for (const gap of gaps(turns)) expect(gap).toBeCloseTo(1000, 3);
    }
    await stage.stop();
  });

  it('asks few newcomers at once, and says which probe it was', async () => {
    const stage = setUp();
    await stage.clock.advance(12_345);
    stage.scheduler.set('web', stage.job(targets(20), 60_000));
    await stage.clock.advance(20);
    expect(new Set(stage.starts.map(({ id }) => id)).size).toBe(20);
    expect(stage.told).toHaveLength(stage.starts.filter(({ at }) => at <= 12_355).length);
    expect(stage.told[0]).toMatchObject({ service: 'web', probe: { result: 'up' }, delayMs: 0 });
    expect(stage.told[0]?.startedAt).toBe(12_345);
    await stage.stop();
  });

  it(
    'knows 5000 new targets within two seconds and has them spread over the interval from then on',
    async () => {
      const stage = setUp();
      stage.world.tookMs = () => 20;
      stage.scheduler.set('web', stage.job(targets(5000), 5000));
      await stage.clock.advance(2000);
      expect(new Set(stage.told.map((one) => one.target.id)).size).toBe(5000);
      stage.world.tookMs = () => 0;
      await stage.clock.advance(8000);
      const perTenth = new Array<number>(50).fill(0);
      for (const { at } of stage.starts.filter((start) => start.at >= 5000 && start.at < 10_000)) {
        const tenth = Math.floor((at - 5000) / 100);
        perTenth[tenth] = (perTenth[tenth] ?? 0) + 1;
      }
      expect(perTenth.reduce((sum, count) => sum + count, 0)).toBe(5000);
      expect(Math.max(...perTenth)).toBeLessThan(150);
      expect(Math.max(...stage.told.map(({ delayMs }) => delayMs))).toBeLessThan(6);
      await stage.stop();
    },
    longMs,
  );

  it(
    'asks the newcomers of many services one after the other, and none later than its interval',
    async () => {
      const stage = setUp();
      stage.world.tookMs = () => 20;
      for (let number = 0; number < 20; number += 1)
        stage.scheduler.set(`service-${number}`, stage.job(targets(100), 1000));
      await stage.clock.advance(1000);
      expect(new Set(stage.told.map((one) => `${one.service} ${one.target.id}`)).size).toBe(2000);
      expect(stage.starts.filter(({ at }) => at < 20).length).toBeLessThan(300);
      await stage.stop();
    },
    longMs,
  );

  it('leaves out the turns that pass while a probe runs', async () => {
    const stage = setUp();
    stage.world.tookMs = () => 2500;
    stage.scheduler.set('web', stage.job([target(1)]));
    await stage.clock.advance(30_500);
    const [, ...turns] = stage.startsOf('i-1');
    for (const gap of gaps(turns)) expect(gap).toBeCloseTo(3000, 3);
    expect(stage.world.overlaps).toBe(0);
    expect(stage.scheduler.figures().skipped).toBeGreaterThanOrEqual(18);
    await stage.stop();
  });

  it('makes up for a turn that a probe has only just missed', async () => {
    const stage = setUp();
    stage.world.tookMs = () => 1004;
    stage.scheduler.set('web', stage.job([target(1)]));
    await stage.clock.advance(10_500);
    const [, ...turns] = stage.startsOf('i-1');
    expect(turns.length).toBeGreaterThanOrEqual(9);
    for (const gap of gaps(turns)) expect(gap).toBeCloseTo(1004, 3);
    await stage.stop();
  });

  it(
    'never asks a target twice at a time, never has too many running, and forgets nobody',
    async () => {
      const scene = fc.record({
        count: fc.integer({ min: 1, max: 40 }),
        intervalMs: fc.integer({ min: 50, max: 2000 }),
        tookMs: fc.array(fc.integer({ min: 0, max: 220 }), { minLength: 1, maxLength: 7 }),
        concurrency: fc.integer({ min: 1, max: 50 }),
      });
      await fc.assert(
        fc.asyncProperty(scene, async ({ count, intervalMs, tookMs, concurrency }) => {
          const stage = setUp({ concurrency });
          let asked = 0;
          stage.world.tookMs = () => tookMs[asked++ % tookMs.length] ?? 0;
          stage.scheduler.set('web', stage.job(targets(count), intervalMs));
          // The worst case: all wait for the longest, one row after the other.
          const roundMs = Math.max(intervalMs, Math.ceil(count / concurrency) * 220) + intervalMs;
          await stage.clock.advance(2 * roundMs);
          expect(stage.world.overlaps).toBe(0);
          expect(stage.world.mostRunning).toBeLessThanOrEqual(concurrency);
          for (const { id } of targets(count)) expect(stage.startsOf(id).length).toBeGreaterThanOrEqual(1);
          await stage.stop();
          expect(stage.running()).toEqual([]);
        }),
        { numRuns: 40 },
      );
    },
    longMs,
  );
});
