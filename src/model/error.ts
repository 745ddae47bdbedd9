/**
 * What a failure means to whoever catches it:
 * - `config`: the configuration is wrong; the process ends with exit code 78.
 * - `unavailable`: the world did not answer; hold the last good thing and try again next round.
 * - `conflict`: somebody else wrote first; read again before deciding anew.
 * - `rejected`: the world understood and said no; repeating the same call cannot help.
 *
 * Anything thrown that is not a {@link HsdoError} is a bug.
 */
export type ErrorCode = 'config' | 'unavailable' | 'conflict' | 'rejected';

/** The one error class of hsdo. Made at the boundary to the world, with the original failure as `cause`. */
export class HsdoError extends Error {
  readonly code: ErrorCode;
  /** When the other side said that it may be asked again, milliseconds from now. */
  readonly retryAfterMs?: number;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; retryAfterMs?: number | undefined }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HsdoError';
    this.code = code;
    if (options?.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** True when `error` is a {@link HsdoError} of the given code. */
export function hasCode(error: unknown, code: ErrorCode): error is HsdoError {
  return error instanceof HsdoError && error.code === code;
}

/** The text of anything thrown, with its chain of causes, on one line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || error.name;
  const cause = error.cause === undefined ? '' : describeError(error.cause);
  return cause === '' || own.includes(cause) ? own : `${own}: ${cause}`;
}
