import type { Clock } from '../time/clock.ts';

/** The one sleep of a loop, and what its wake-ups tell about the time that this process has. */
export interface Rest {
  /** Sleeps until an instant of `clock.monotonic()`, for a minute at most. One sleep at a time. */
  until(instant: number): Promise<void>;
  /** Ends the sleep, if there is one that would last beyond the instant. */
  shorten(instant: number): void;
  /**
   * A clock that runs only as far as this process gets round to hearing answers: each wake-up counts for at most 20 ms,
   * however long the process was kept from it.
   */
  heardMs(): number;
  /** True when the last wake-up came more than 10 ms too late: this process has more to do than it can. */
  wasLate(): boolean;
}

export const longestRestMs = 60_000;
const mostHeardMs = 20;
const lateMs = 10;

/** A sleep that may be cut short: waiting for two things at once, a timer and a nudge, costs twice as much. */
export function createRest(clock: Clock): Rest {
  let sleep: AbortController | undefined;
  let wakesAt = Number.NEGATIVE_INFINITY;
  let heardMs = 0;
  let wasLate = false;
  return {
    async until(instant) {
      const startedAt = clock.monotonic();
      const own = new AbortController();
      [sleep, wakesAt] = [own, instant];
      try {
        await clock.sleep(Math.min(longestRestMs, Math.max(0, instant - startedAt)), own.signal);
      } catch (error) {
        if (!own.signal.aborted) throw error;
      } finally {
        const now = clock.monotonic();
        heardMs += Math.min(now - startedAt, mostHeardMs);
        wasLate = now - instant > lateMs;
        [sleep, wakesAt] = [undefined, Number.NEGATIVE_INFINITY];
      }
    },
    shorten(instant) {
      if (instant < wakesAt) sleep?.abort();
    },
    heardMs: () => heardMs,
    wasLate: () => wasLate,
  };
}
