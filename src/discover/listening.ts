import { describeError } from '../model/error.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import { createBackoff } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';
import { createNudge, type Nudge } from '../time/nudge.ts';
import type { DiscoverySource } from './source.ts';

export interface ListeningOptions {
  readonly source: DiscoverySource;
  readonly clock: Clock;
  readonly log: Log;
  readonly fields: Record<string, unknown>;
  readonly intervalMs: number;
  readonly maxBackoffMs: number;
  readonly random: () => number;
}

/** Waits for a source's hints beside the reads, and keeps a source that cries wolf from being read in a hot loop. */
export interface Listening {
  /** Nudged by every hint. */
  readonly hints: Nudge;
  /** Starts to wait for the next hint, unless that is going on, or must rest after a rejection. */
  listen(signal: AbortSignal): void;
  /** Says whether the read that just ended brought news: hints that are followed by none make the next one wait. */
  judge(isNews: boolean): void;
  /** After a hint: waits until the next read that it causes may begin. */
  hold(signal: AbortSignal): Promise<void>;
}

/** Least time between two reads that hints caused. The first one after a quiet time is never delayed. */
const leastGapMs = 100;

export function createListening(options: ListeningOptions): Listening {
  const { source, clock, intervalMs, maxBackoffMs, random } = options;
  const hints = createNudge();
  const streak = createStreak(options.log, 'waiting for changes of a source', options.fields);
  const backoff = createBackoff({ baseMs: Math.min(intervalMs, 1000), maxMs: maxBackoffMs, random });
  const longestGapMs = Math.max(leastGapMs, Math.min(intervalMs, maxBackoffMs));
  let isListening = false;
  let isHinted = false;
  let isReadHinted = false;
  let vainHints = 0;
  let listenFrom = Number.NEGATIVE_INFINITY;
  let hintedReadAt = Number.NEGATIVE_INFINITY;

  async function wait(changed: NonNullable<DiscoverySource['changed']>, signal: AbortSignal): Promise<void> {
    try {
      await changed(signal);
      streak.worked();
      backoff.reset();
      isHinted = true;
      hints.nudge();
    } catch (error) {
      if (signal.aborted) return;
      streak.failed(describeError(error));
      listenFrom = clock.monotonic() + backoff.next();
    } finally {
      isListening = false;
    }
  }

  return {
    hints,
    listen(signal) {
      if (!source.changed || isListening || isHinted || clock.monotonic() < listenFrom) return;
      isListening = true;
      void wait((inner) => source.changed?.(inner) ?? Promise.resolve(), signal);
    },
    judge(isNews) {
      if (isReadHinted) vainHints = isNews ? 0 : vainHints + 1;
    },
    async hold(signal) {
      isReadHinted = isHinted;
      isHinted = false;
      if (!isReadHinted) return;
      const gapMs = Math.min(longestGapMs, leastGapMs * 2 ** Math.min(vainHints, 20));
      const restMs = hintedReadAt + gapMs - clock.monotonic();
      if (restMs > 0) await pause(clock, restMs, undefined, signal);
      hintedReadAt = clock.monotonic();
    },
  };
}
