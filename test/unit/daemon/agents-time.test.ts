import { describe, expect, it } from 'vitest';
import { createReportTimes, untimely } from '../../../src/daemon/agents/agents-time.ts';
import { pythonTime } from '../../fixtures/agent-reports.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

describe('the age of a report', () => {
  it('is what an agent of ours says, however its clock is set', () => {
    const clock = createFakeClock();
    const times = createReportTimes(clock);
    const timestamp = new Date(clock.now() - 3000 + 120_000).toISOString();
    expect(times.of({ timestamp, age_sec: 3 })).toEqual({ ageMs: 3000, offsetMs: 120_000 });
  });

  it('is told without that by the report that came quickest', async () => {
    const clock = createFakeClock();
    const times = createReportTimes(clock);
    const madeAgo = (ms: number) => times.of({ timestamp: pythonTime(clock.now() - 100_000 - ms) });
    expect(madeAgo(500)).toEqual({ ageMs: 0, offsetMs: -100_500 });
    expect(madeAgo(20)).toEqual({ ageMs: 0, offsetMs: -100_020 });
    expect(madeAgo(8020)).toEqual({ ageMs: 8000, offsetMs: -100_020 });
  });

  it('is right again two minutes after the clock of an agent was set back, at the latest', async () => {
    const clock = createFakeClock();
    const times = createReportTimes(clock);
    times.of({ timestamp: pythonTime(clock.now()) });
    let age = 0;
    for (let seconds = 0; seconds <= 120; seconds += 10) {
      await clock.advance(10_000);
      age = times.of({ timestamp: pythonTime(clock.now() - 90_000) }).ageMs;
      if (seconds === 0) expect(age).toBe(90_000);
    }
    expect(age).toBe(0);
  });
});

describe('a timestamp', () => {
  const now = Date.UTC(2026, 0, 1);
  const at = (seconds: number) => pythonTime(now + seconds * 1000);

  it('may be five minutes off, or as long as reports count, and no more', () => {
    expect(untimely({ timestamp: at(300) }, 60_000, now)).toBeUndefined();
    expect(untimely({ timestamp: at(-300) }, 60_000, now)).toBeUndefined();
    expect(untimely({ timestamp: at(301) }, 60_000, now)).toMatch(/lies 301 s in the future; expected at most 300 s/);
    expect(untimely({ timestamp: at(-301) }, 60_000, now)).toMatch(/lies 301 s in the past/);
    expect(untimely({ timestamp: at(-900) }, 900_000, now)).toBeUndefined();
  });

  it('may be older where the report says how long it has waited', () => {
    expect(untimely({ timestamp: at(-4000), age_sec: 4000 }, 60_000, now)).toBeUndefined();
    expect(untimely({ timestamp: at(400), age_sec: 1 }, 60_000, now)).toMatch(/future/);
  });
});
