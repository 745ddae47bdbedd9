/**
 * Full-jitter exponential back-off: the n-th delay is random between half and all of `baseMs * 2^n`, capped.
 * Never gives up; call `reset` after a success.
 */
export interface Backoff {
  /** The next delay in milliseconds. */
  next(): number;
  reset(): void;
}

export function createBackoff(options: {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly random?: () => number;
}): Backoff {
  const random = options.random ?? Math.random;
  let failures = 0;
  return {
    next() {
      const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(failures, 30));
      failures += 1;
      return ceiling / 2 + (ceiling / 2) * random();
    },
    reset() {
      failures = 0;
    },
  };
}
