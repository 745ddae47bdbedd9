import { describe, expect, it } from 'vitest';
import { createBackoff } from '../../../src/time/backoff.ts';
import { withDeadline } from '../../../src/time/deadline.ts';
import { every } from '../../../src/time/every.ts';
import { createNudge } from '../../../src/time/nudge.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

describe('every', () => {
  it('runs at once, then at every interval, and stops when told', async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    const runs: number[] = [];
    const loop = every({ intervalMs: 1000, clock }, async () => void runs.push(clock.monotonic()), stop.signal);
    await clock.advance(2500);
    stop.abort();
    await loop;
    expect(runs).toEqual([0, 1000, 2000]);
  });

  it('counts from one start to the next, with a pause of half an interval at least', async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    const runs: number[] = [];
    let tookMs = 300;
    const task = async () => {
      runs.push(clock.monotonic());
      await clock.sleep(tookMs, stop.signal).catch(() => {});
    };
    const loop = every({ intervalMs: 1000, clock }, task, stop.signal);
    await clock.advance(2300);
    tookMs = 5000;
    await clock.advance(8000);
    stop.abort();
    await loop;
    expect(runs).toEqual([0, 1000, 2000, 3000, 8500]);
  });

  it('runs early for a nudge, once for several, and never overlaps', async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    const nudge = createNudge();
    const runs: number[] = [];
    const loop = every({ intervalMs: 1000, clock, nudge }, async () => void runs.push(clock.monotonic()), stop.signal);
    await clock.advance(300);
    nudge.nudge();
    nudge.nudge();
    await clock.advance(100);
    await clock.advance(1000);
    stop.abort();
    await loop;
    expect(runs).toEqual([0, 300, 1300]);
  });

  it('keeps a nudge that comes while the task runs', async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    const nudge = createNudge();
    let runs = 0;
    const task = async () => {
      runs += 1;
      if (runs === 1) nudge.nudge();
    };
    const loop = every({ intervalMs: 60_000, clock, nudge }, task, stop.signal);
    await clock.advance(1);
    stop.abort();
    await loop;
    expect(runs).toBe(2);
  });

  it('rejects with what the task throws', async () => {
    const task = async () => {
      throw new Error('a bug');
    };
    await expect(
      every({ intervalMs: 1, clock: createFakeClock() }, task, new AbortController().signal),
    ).rejects.toThrow('a bug');
  });
});

describe('createBackoff', () => {
  it('doubles up to its maximum with jitter of at most half, and starts anew after a reset', () => {
    const full = createBackoff({ baseMs: 100, maxMs: 1000, random: () => 1 });
    expect([full.next(), full.next(), full.next(), full.next(), full.next()]).toEqual([100, 200, 400, 800, 1000]);
    full.reset();
    expect(full.next()).toBe(100);
    expect(createBackoff({ baseMs: 100, maxMs: 1000, random: () => 0 }).next()).toBe(50);
  });
});

describe('a nudge', () => {
  it('that meets the end of a wait is kept for the next one, which later nudges wake as well', async () => {
    const nudge = createNudge();
    const first = new AbortController();
    const given = nudge.wait(first.signal);
    nudge.nudge();
    first.abort(new Error('over'));
    await expect(given).rejects.toThrow('over');
    const { signal } = new AbortController();
    await nudge.wait(signal);
    const next = nudge.wait(signal);
    nudge.nudge();
    await next;
  });
});

describe('withDeadline', () => {
  it('gives up a call that ignores its signal, and says what did not answer in which time', async () => {
    const deaf = () => new Promise<never>(() => {});
    const call = withDeadline('The store', 5, new AbortController().signal, deaf);
    await expect(call).rejects.toMatchObject({ code: 'unavailable', message: 'The store did not answer in 5 ms' });
  });

  it('measures its time by the clock that it is given', async () => {
    const clock = createFakeClock();
    const answers: string[] = [];
    const ask = (what: string, call: () => Promise<void>) =>
      withDeadline(what, 60_000, new AbortController().signal, call, clock).then(
        () => answers.push(`${what} answered`),
        () => answers.push(`${what} was given up after ${clock.monotonic()} ms`),
      );
    const [quick, deaf] = [ask('quick', async () => {}), ask('deaf', () => new Promise(() => {}))];
    await clock.advance(120_000);
    await Promise.all([quick, deaf]);
    expect(answers).toEqual(['quick answered', 'deaf was given up after 60000 ms']);
  });

  it("hands the caller's own abort on, and its reason out", async () => {
    const stop = new AbortController();
    let seen: unknown;
    const call = withDeadline('The store', 60_000, stop.signal, (signal) => {
      signal.addEventListener('abort', () => {
        seen = signal.reason;
      });
      return new Promise<never>(() => {});
    });
    const reason = new Error('stopped');
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(seen).toBe(reason);
  });
});
