import { HsdoError } from '../model/error.ts';

/**
 * Runs `call` with a signal that is aborted with the given one or after `ms`. A call that outlives its deadline
 * is given up, even when it ignores the signal.
 *
 * @throws HsdoError `unavailable`, saying what did not answer and in which time.
 */
export async function withDeadline<T>(
  what: string,
  ms: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
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
  const timer = setTimeout(() => stop(new HsdoError('unavailable', `${what} did not answer in ${ms} ms`)), ms);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([call(own.signal), abandoned]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
