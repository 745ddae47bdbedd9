import { type Backoff, createBackoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import { pause } from './every.ts';

/**
 * Turns a `changed` that resolves once into a nudge every time. Failing, it backs off: the interval of the loop that
 * is nudged is the safety net. Returns at once where there is nothing to watch.
 */
export async function watchForHints(
  changed: (signal: AbortSignal) => Promise<void> | undefined,
  onHint: () => void,
  clock: Clock,
  signal: AbortSignal,
  backoff: Backoff = createBackoff({ baseMs: 200, maxMs: 10_000 }),
): Promise<void> {
  while (!signal.aborted) {
    try {
      const waiting = changed(signal);
      if (waiting === undefined) return;
      await waiting;
      backoff.reset();
      onHint();
    } catch {
      await pause(clock, backoff.next(), undefined, signal);
    }
  }
}
