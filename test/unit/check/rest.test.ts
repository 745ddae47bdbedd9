import { describe, expect, it } from 'vitest';
import { createRest } from '../../../src/check/rest.ts';
import type { Clock } from '../../../src/time/clock.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

describe('a rest', () => {
  it('lasts until its instant, is cut short by something earlier and by nothing later', async () => {
    const clock = createFakeClock();
    const rest = createRest(clock);
    const ends: number[] = [];
    const sleep = (instant: number) => rest.until(instant).then(() => void ends.push(clock.monotonic()));
    void sleep(100);
    await clock.advance(150);
    void sleep(1000);
    await clock.advance(50);
    rest.shorten(1000);
    await clock.advance(50);
    rest.shorten(999);
    await clock.advance(0);
    rest.shorten(Number.NEGATIVE_INFINITY);
    expect(ends).toEqual([100, 250]);
    void sleep(Number.POSITIVE_INFINITY);
    await clock.advance(100_000);
    expect(ends).toEqual([100, 250, 60_250]);
  });

  it('counts little of what this process was kept from, and tells that it came late', async () => {
    const fake = createFakeClock();
    let keptMs = 0;
    /** A process that is kept from waking up for as long as the test says. */
    const clock: Clock = { ...fake, sleep: (ms, signal) => fake.sleep(ms + keptMs, signal) };
    const rest = createRest(clock);
    const sleep = async (ms: number) => {
      const resting = rest.until(fake.monotonic() + ms);
      await fake.advance(ms + keptMs);
      await resting;
    };
    await sleep(5);
    expect([rest.heardMs(), rest.wasLate()]).toEqual([5, false]);
    keptMs = 700;
    await sleep(5);
    expect([rest.heardMs(), rest.wasLate()]).toEqual([25, true]);
    keptMs = 3;
    await sleep(7);
    expect([rest.heardMs(), rest.wasLate()]).toEqual([35, false]);
  });
});
