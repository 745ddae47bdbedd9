import { httpCall, reasonOf, retryAfterIn } from '../../http/http-call.ts';
import { HsdoError } from '../../model/error.ts';

export interface NotifyRequest {
  /** Never shown: it may hold a secret. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How much of the answer is read; default 64 KiB. */
  readonly mostBytes?: number;
}

export interface NotifyAnswer {
  readonly status: number;
  /** The beginning of the body. */
  readonly body: string;
  /** By the header Retry-After, at most a day. */
  readonly retryAfterMs?: number;
}

const usualBytes = 65_536;
const dayMs = 86_400_000;

/**
 * One request, and as much of the answer as is worth reading.
 *
 * @param what - Begins the message of a failure, such as `Cannot notify "ops"`; the URL is not told.
 * @throws HsdoError `unavailable` when no whole answer comes
 */
export async function notifyCall(
  what: string,
  { mostBytes = usualBytes, ...request }: NotifyRequest,
  signal: AbortSignal,
): Promise<NotifyAnswer> {
  try {
    const { status, headers, body } = await httpCall({ ...request, mostBytes, whenLonger: 'cut' }, signal);
    const retryAfterMs = retryAfterIn(headers, dayMs);
    return { status, body, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  } catch (error) {
    signal.throwIfAborted();
    throw new HsdoError('unavailable', `${what}: ${reasonOf(error)}`);
  }
}

/** Codes after which the same request may be answered otherwise (RFC 9110, RFC 6585, RFC 8470). */
const passing: readonly number[] = [408, 425, 429];

/**
 * Demands a code of success.
 *
 * @throws HsdoError `unavailable` for a failure that passes, `rejected` for one that does not, redirects included
 */
export function assertAccepted(what: string, { status, body, retryAfterMs }: NotifyAnswer): void {
  if (status >= 200 && status < 300) return;
  const said = body
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 200);
  const message = `${what}: the answer was ${status}${said === '' ? '' : ` (${said})`}, expected 2xx`;
  const isPassing = status >= 500 || passing.includes(status);
  throw new HsdoError(isPassing ? 'unavailable' : 'rejected', message, { retryAfterMs });
}
