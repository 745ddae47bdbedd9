import type { Clock } from './clock.ts';
import { heartbeatOf } from './heartbeats.ts';
import type { Nudge } from './nudge.ts';

/**
 * Runs `task` now, then `intervalMs` after its last start or after a nudge, whichever comes first, until the signal is
 * aborted: "every second" stays one although a read takes a tenth of it. Runs never overlap, and between two there is at
 * least half an interval, so that what has become slow is not asked without a pause. The task handles its own failures: what
 * it throws ends the loop and rejects. By its `name` a loop that hangs is told (heartbeats.ts).
 */
export async function every(
  options: {
    readonly intervalMs: number | (() => number);
    readonly clock: Clock;
    readonly nudge?: Nudge;
    readonly name?: string;
    /** How long a run may take, where that can be minutes. */
    readonly longestRunMs?: number;
  },
  task: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const heartbeat = heartbeatOf(options.clock, options.name ?? 'a loop');
  try {
    while (!signal.aborted) {
      heartbeat.beat(options.longestRunMs);
      const startedAt = options.clock.monotonic();
      await task();
      const intervalMs = typeof options.intervalMs === 'number' ? options.intervalMs : options.intervalMs();
      const tookMs = options.clock.monotonic() - startedAt;
      const restMs = Math.max(intervalMs - tookMs, intervalMs / 2);
      heartbeat.beat(restMs);
      await pause(options.clock, restMs, options.nudge, signal);
    }
  } finally {
    heartbeat.end();
  }
}

/** Waits for a nudge, at most `ms`; returns early without complaint when the signal is aborted. */
export async function pause(clock: Clock, ms: number, nudge: Nudge | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const either = new AbortController();
  const stop = () => either.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const waits = [clock.sleep(ms, either.signal)];
  if (nudge) waits.push(nudge.wait(either.signal));
  try {
    await Promise.race(waits);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    either.abort();
    await Promise.allSettled(waits);
  }
}
