import { z } from 'zod';
import type { Probe } from '../model/probe.ts';
import type { Target } from '../model/target.ts';
import type { Clock } from '../time/clock.ts';

/** Asks one target once. One object serves one service; it may be asked about many targets at the same time. */
export interface HealthCheck {
  /**
   * "No" is an answer, given as a probe with its reason; it throws (or gives result `unknown`) only when the question could
   * not be asked. Never loops, retries or keeps time: `probing.ts` does that around every check, and it sets the
   * deadline that `signal` carries. After an abort everything that the call opened is closed.
   */
  check(target: Target, signal: AbortSignal): Promise<Probe>;
  /** Frees what the check holds between two calls. */
  close?(): Promise<void>;
}

/** What a process gives to each of its checks. */
export interface CheckContext {
  readonly service: string;
  /** The domain that the service is known by, for checks that can say it. */
  readonly domain?: string | undefined;
  readonly clock: Clock;
  /** What relative paths start from; default is the working directory. */
  readonly baseFolder?: string;
}

const seconds = (min: number, max: number) => z.number().min(min).max(max);

/** Options that every kind of check has; a kind may set other defaults. */
export const commonOptions = {
  /** From one start to the next. */
  intervalSeconds: seconds(0.05, 86_400).default(10),
  /** The longest that one try may take. */
  timeoutSeconds: seconds(0.01, 3600).default(5),
  /** Further tries, at once, after one that timed out. */
  retries: z.int().min(0).max(10).default(0),
  /** Passes in a row that make a target up. */
  rise: z.int().min(1).max(1000).default(2),
  /** Failures in a row that make a target down. */
  fall: z.int().min(1).max(1000).default(2),
  /** A target that went down again soon must pass for this long before it is up; doubled each time, up to the maximum. 0 switches it off. */
  holdDown: z
    .strictObject({
      seconds: seconds(0, 86_400).default(30),
      maxSeconds: seconds(0, 86_400).default(300),
    })
    .prefault({}),
};

/** A port of its own for the check; default is the target's. */
export const checkPort = z.int().min(1).max(65_535).optional();
