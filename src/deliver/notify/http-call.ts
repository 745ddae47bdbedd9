import { describeError, HsdoError } from '../../model/error.ts';
import { version } from '../../telemetry/version.ts';
import type { Clock } from '../../time/clock.ts';

export interface HttpRequest {
  /** Never shown: it may hold a secret. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How much of the answer is read; default 64 KiB. */
  readonly mostBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** The beginning of the body. */
  readonly body: string;
  /** By the header Retry-After (RFC 9110, section 10.2.3), at most a day. */
  readonly retryAfterMs?: number;
}

const usualBytes = 65_536;
const dayMs = 86_400_000;

/**
 * One request, and as much of the answer as is worth reading. Redirects are not followed: what is sent is meant for that
 * place alone.
 *
 * @param what - Begins the message of a failure, such as `Cannot notify "ops"`; the URL is not told.
 * @throws HsdoError `unavailable` when no whole answer comes
 */
export async function httpCall(
  what: string,
  { url, method, headers, body, mostBytes = usualBytes }: HttpRequest,
  clock: Clock,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  try {
    const response = await fetch(url, {
      method,
      headers: { 'User-Agent': `hsdo/${version}`, ...headers },
      redirect: 'manual',
      signal,
      ...(body === undefined ? {} : { body }),
    });
    const retryAfterMs = retryAfter(response.headers.get('retry-after'), clock.now());
    const text = await beginningOf(response, mostBytes);
    return { status: response.status, body: text, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  } catch (error) {
    signal.throwIfAborted();
    throw new HsdoError('unavailable', `${what}: ${reasonOf(error)}`);
  }
}

/** What fetch says is "fetch failed"; why is in its causes. */
function reasonOf(error: unknown): string {
  const cause = (error instanceof Error ? error.cause : undefined) ?? error;
  const { code } = cause as { readonly code?: unknown };
  // Of several addresses that were tried none has the word.
  return cause instanceof AggregateError && typeof code === 'string' ? code : describeError(cause);
}

async function beginningOf({ body }: Response, mostBytes: number): Promise<string> {
  if (body === null) return '';
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let left = mostBytes;
  while (left > 0) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value.subarray(0, left));
    left -= value.length;
  }
  if (left <= 0) await reader.cancel();
  return Buffer.concat(chunks).toString('utf8');
}

function retryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(dayMs, Math.max(0, ms)) : undefined;
}

/** Codes after which the same request may be answered otherwise (RFC 9110, RFC 6585, RFC 8470). */
const passing: readonly number[] = [408, 425, 429];

/**
 * Demands a code of success.
 *
 * @throws HsdoError `unavailable` for a failure that passes, `rejected` for one that does not, redirects included
 */
export function assertAccepted(what: string, { status, body, retryAfterMs }: HttpAnswer): void {
  if (status >= 200 && status < 300) return;
  const said = body
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 200);
  const message = `${what}: the answer was ${status}${said === '' ? '' : ` (${said})`}, expected 2xx`;
  const isPassing = status >= 500 || passing.includes(status);
  throw new HsdoError(isPassing ? 'unavailable' : 'rejected', message, { retryAfterMs });
}
