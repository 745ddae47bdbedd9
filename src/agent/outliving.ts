import type { Clock } from '../time/clock.ts';

/**
 * Runs `call` with a signal that is aborted `ms` later than the given one, so that what is under way at the end may end
 * well. Once that later signal is aborted, what `call` throws is not told any more.
 */
export async function outliving(
  signal: AbortSignal,
  ms: number,
  clock: Clock,
  call: (later: AbortSignal) => Promise<void>,
): Promise<void> {
  const later = new AbortController();
  const over = new AbortController();
  const wait = () => {
    const abort = () => later.abort(signal.reason);
    clock.sleep(ms, over.signal).then(abort, () => undefined);
  };
  if (signal.aborted) wait();
  else signal.addEventListener('abort', wait, { once: true });
  try {
    await call(later.signal);
  } catch (error) {
    if (!later.signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', wait);
    over.abort();
  }
}
