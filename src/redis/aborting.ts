/** Runs `call` with a signal that is aborted when the call is over, so that nothing it began goes on. */
export async function aborting<T>(signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const stop = () => own.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await call(own.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    own.abort(new Error('the others have decided'));
  }
}
