import { describeError } from '../model/error.ts';
import { version } from '../telemetry/version.ts';

export interface HttpRequest {
  /** May hold a secret: nothing here ever shows it. */
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** How much of the answer is read. */
  readonly mostBytes: number;
  /** What becomes of a longer one; it is an error unless its beginning is enough. */
  readonly whenLonger: 'cut' | 'refuse';
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * One request to another program, and a bounded answer, whatever its status. Redirects are not followed: what is sent, tokens
 * above all, is meant for that place alone.
 *
 * @throws what fetch throws, of which {@link reasonOf} makes words; the signal's reason when it is aborted
 */
export async function httpCall(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  const { url, method, headers, body } = request;
  const response = await fetch(url, {
    method,
    headers: { 'user-agent': `hsdo/${version}`, ...headers },
    redirect: 'manual',
    signal,
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, headers: response.headers, body: await boundedText(response, request) };
}

async function boundedText(
  { body }: Response,
  { mostBytes, whenLonger }: Pick<HttpRequest, 'mostBytes' | 'whenLonger'>,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let left = mostBytes;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
    if (left < 0 && whenLonger === 'refuse') throw new Error(`the answer is longer than ${mostBytes} bytes`);
    // Leaving the loop cancels the rest.
    if (left <= 0 && whenLonger === 'cut') break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The value of a body of JSON; `undefined` where it is none, as the error pages of proxies are. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Retry-After in either form (RFC 9110 section 10.2.3), at most `longestMs`. A date is compared with the Date of the same
 * answer and not with our clock.
 */
export function retryAfterIn(headers: Headers, longestMs: number): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  const waitMs = /^\d{1,9}$/.test(text)
    ? Number(text) * 1000
    : Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(waitMs) ? Math.min(longestMs, Math.max(0, waitMs)) : undefined;
}

/**
 * What fetch hides behind "fetch failed": the reason in its causes; of several addresses that were tried, that of the first.
 * The error itself may hold the request, and that a token, so it is no cause of what is told.
 */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const [first] = cause instanceof AggregateError ? (cause.errors as unknown[]) : [cause];
  return describeError(first ?? error);
}
