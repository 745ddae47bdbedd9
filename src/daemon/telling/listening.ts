import type { Notifier } from '../../deliver/notify/notifier.ts';
import { describeError } from '../../model/error.ts';
import type { Lease } from '../../publish/lease.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import { createBackoff } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import { pause } from '../../time/every.ts';

const pollMs = 500;
const longestPauseMs = 60_000;

/** The loop in which a notifier does what it does beside telling, for as long as this process leads; none where it does nothing. */
export function createListening(parts: {
  readonly name: string;
  readonly notifier: Notifier;
  readonly lease: Pick<Lease, 'term'>;
  readonly clock: Clock;
  readonly log: Log;
}): readonly ((signal: AbortSignal) => Promise<void>)[] {
  const { name, notifier, lease, clock, log } = parts;
  if (notifier.run === undefined) return [];
  const streak = createStreak(log, 'listening', { notifier: name });
  const backoff = createBackoff({ baseMs: 1000, maxMs: longestPauseMs });

  /** Runs it until another one leads. */
  async function whileLeading(epoch: number, signal: AbortSignal): Promise<void> {
    const own = new AbortController();
    const stop = () => own.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const watch = (async () => {
      while (!own.signal.aborted && lease.term()?.epoch === epoch) await pause(clock, pollMs, undefined, own.signal);
      own.abort(new Error('this process does not lead any more'));
    })();
    try {
      await notifier.run?.(own.signal);
    } catch (error) {
      if (!own.signal.aborted) streak.failed(describeError(error));
    } finally {
      signal.removeEventListener('abort', stop);
      own.abort(new Error('it has ended'));
      await watch;
    }
  }

  return [
    async (signal) => {
      while (!signal.aborted) {
        const term = lease.term();
        if (term === undefined) {
          await pause(clock, pollMs, undefined, signal);
          continue;
        }
        const beganAt = clock.monotonic();
        await whileLeading(term.epoch, signal);
        // What went well for that long has not failed again, but anew.
        if (clock.monotonic() - beganAt > longestPauseMs) backoff.reset();
        if (!signal.aborted && lease.term()?.epoch === term.epoch)
          await pause(clock, backoff.next(), undefined, signal);
        else backoff.reset();
      }
    },
  ];
}
