import { HsdoError } from '../model/error.ts';
import type { Clock } from './clock.ts';

/**
 * Runs `call` with a signal that is aborted with the given one or after `ms`. A call that outlives its deadline
 * is given up, even when it ignores the signal. The time is the system's, or that of `clock`, where one is handed in.
 *
 * @throws HsdoError `unavailable`, saying what did not answer and in which time.
 */
export async function withDeadline<T>(
  what: string,
  ms: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
  clock?: Clock,
): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  let giveUp: (reason: unknown) => void = () => {};
  const abandoned = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const stop = (reason: unknown) => {
    giveUp(reason);
    own.abort(reason);
  };
  const onAbort = () => stop(signal.reason);
  const disarm = arm(ms, clock, () => stop(new HsdoError('unavailable', `${what} did not answer in ${ms} ms`)));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([call(own.signal), abandoned]);
  } finally {
    disarm();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Rings once after `ms`, unless it is disarmed before. A plain timer, where it serves, costs less than a sleep. */
function arm(ms: number, clock: Clock | undefined, ring: () => void): () => void {
  if (clock === undefined) {
    const timer = setTimeout(ring, ms);
    return () => clearTimeout(timer);
  }
  const disarming = new AbortController();
  clock.sleep(ms, disarming.signal).then(ring, () => {});
  return () => disarming.abort();
}
