import type { HealthCheck } from '../../../src/check/health-check.ts';
import { createScheduler, type SchedulerOptions } from '../../../src/check/scheduler.ts';
import { type Probe, passed } from '../../../src/model/probe.ts';
import type { Target } from '../../../src/model/target.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { recordingLog } from '../../fixtures/log.ts';

export const target = (number: number): Target => ({
  id: `i-${number}`,
  name: `web-${number}`,
  address: `10.0.${Math.floor(number / 250)}.${number % 250}`,
  port: 80,
  group: 'web',
});

export const targets = (count: number, from = 0) => Array.from({ length: count }, (_, number) => target(from + number));

export interface Start {
  readonly id: string;
  readonly at: number;
}

/** A running scheduler on a clock that stands still, and checks that take as long as the test says. */
export function setUp(options: Partial<SchedulerOptions> = {}) {
  const clock = createFakeClock();
  const log = recordingLog();
  const told: { service: string; target: Target; probe: Probe; startedAt: number; delayMs: number }[] = [];
  const starts: Start[] = [];
  const running = new Map<string, number>();
  const tenMs: (target: Target) => number = () => 10;
  const world = { mostRunning: 0, overlaps: 0, broken: 0, tookMs: tenMs };

  /** A check that passes when its time is over. */
  const createCheck = (): HealthCheck => ({
    async check(asked, signal) {
      starts.push({ id: asked.id, at: clock.monotonic() });
      const already = running.get(asked.id) ?? 0;
      if (already > 0) world.overlaps += 1;
      running.set(asked.id, already + 1);
      world.mostRunning = Math.max(
        world.mostRunning,
        [...running.values()].reduce((sum, count) => sum + count, 0),
      );
      try {
        const ms = world.tookMs(asked);
        if (ms > 0) await clock.sleep(ms, signal);
        return passed('fine');
      } catch (error) {
        world.broken += 1;
        throw error;
      } finally {
        const left = (running.get(asked.id) ?? 1) - 1;
        if (left === 0) running.delete(asked.id);
        else running.set(asked.id, left);
      }
    },
  });

  const scheduler = createScheduler({
    clock,
    log,
    onProbe: (service, asked, probe, startedAt, delayMs) =>
      void told.push({ service, target: asked, probe, startedAt, delayMs }),
    ...options,
  });
  const check = createCheck();
  const job = (asked: readonly Target[], intervalMs = 1000) => ({
    check,
    targets: asked,
    intervalMs,
    timeoutMs: 600_000,
    retries: 0,
  });
  const stopping = new AbortController();
  const done = scheduler.run(stopping.signal);
  done.catch(() => {});
  return {
    clock,
    log,
    told,
    starts,
    world,
    scheduler,
    job,
    createCheck,
    done,
    running: () => [...running.keys()],
    startsOf: (id: string) => starts.filter((start) => start.id === id).map(({ at }) => at),
    stop() {
      stopping.abort(new Error('stopped'));
      return done;
    },
  };
}
