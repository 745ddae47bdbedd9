import { type AgentReport, instantOf } from '../../agent/wire.ts';
import type { Clock } from '../../time/clock.ts';

/** When a report was made. */
export interface ReportTime {
  /** Milliseconds since then, 0 or more. */
  readonly ageMs: number;
  /** How far the agent's clock is ahead of ours, milliseconds; negative while it is behind. */
  readonly offsetMs: number;
}

/** Tells how old the reports of one agent are, whatever its clock shows. */
export interface ReportTimes {
  of(report: Pick<AgentReport, 'timestamp' | 'age_sec'>): ReportTime;
}

/** For one to two of these a difference of the clocks is remembered, so that a clock that was set is soon believed again. */
const windowMs = 60_000;

/**
 * An agent of ours says how long a report has waited. PyFailoverDNS's sends each at once and says only what its clock shows:
 * there the report that was underway for the shortest time tells how far the clocks differ, and others are as much
 * older as they seem.
 */
export function createReportTimes(clock: Clock): ReportTimes {
  /** The least that our clock was ahead by, in this window and the one before. */
  let [least, leastBefore, windowAt] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, clock.monotonic()];
  return {
    of(report) {
      const seemsMs = clock.now() - instantOf(report);
      if (report.age_sec !== undefined) {
        const ageMs = report.age_sec * 1000;
        return { ageMs, offsetMs: ageMs - seemsMs };
      }
      const now = clock.monotonic();
      if (now - windowAt >= windowMs) {
        leastBefore = now - windowAt >= 2 * windowMs ? Number.POSITIVE_INFINITY : least;
        [least, windowAt] = [Number.POSITIVE_INFINITY, now];
      }
      least = Math.min(least, seemsMs);
      const aheadMs = Math.min(least, leastBefore);
      return { ageMs: seemsMs - aheadMs, offsetMs: -aheadMs };
    },
  };
}

/** A clock that is further off is a fault, and not to be tolerated; a service that counts reports for longer allows as much. */
const leastToleranceMs = 300_000;

/** What is wrong with a report's timestamp, by our clock; `undefined` where nothing is. */
export function untimely(
  report: Pick<AgentReport, 'timestamp' | 'age_sec'>,
  freshMs: number,
  now: number,
): string | undefined {
  const toleranceMs = Math.max(freshMs, leastToleranceMs);
  const aheadMs = instantOf(report) - now;
  const isPast = report.age_sec === undefined && aheadMs < -toleranceMs;
  if (aheadMs <= toleranceMs && !isPast) return undefined;
  const off = `${Math.round(Math.abs(aheadMs) / 1000)} s in the ${isPast ? 'past' : 'future'}`;
  return `timestamp: ${JSON.stringify(report.timestamp)} lies ${off}; expected at most ${toleranceMs / 1000} s: set the clock`;
}
