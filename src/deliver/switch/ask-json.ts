import { describeError, HsdoError } from '../../model/error.ts';

export interface JsonQuestion {
  /** Who is asked, for messages: `Cloudflare`. */
  readonly who: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface JsonAnswer {
  readonly status: number;
  /** Not verified; `undefined` where the answer is no JSON, as the error pages of proxies are. */
  readonly body: unknown;
  /** The beginning of the answer as it came, printable. */
  readonly beginning: string;
  readonly retryAfterMs: number | undefined;
}

/** Google's metadata of a project may be 512 KiB, written as JSON. */
const mostBytes = 4 * 1_048_576;
const longestWaitMs = 3_600_000;

/**
 * Asks once and reads a bounded answer, whatever its status. Redirects are not followed, since they would carry the token
 * to wherever they lead.
 *
 * @throws HsdoError `unavailable` without an answer, `rejected` for a redirect; the signal's reason when it is aborted.
 */
export async function askJson(question: JsonQuestion, signal: AbortSignal): Promise<JsonAnswer> {
  const { who, method, url, headers, body } = question;
  const place = new URL(url).origin;
  try {
    const response = await fetch(url, {
      method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : jsonHeader), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal,
    });
    const { status } = response;
    if (status >= 300 && status < 400) {
      await response.body?.cancel();
      throw new HsdoError('rejected', `${who} at ${place} answered ${status}: redirects are not followed, see baseUrl`);
    }
    const text = await boundedText(response);
    return { status, body: parsed(text), beginning: printable(text), retryAfterMs: retryAfter(response.headers) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HsdoError) throw error;
    // What fetch throws may hold the request, and that the token.
    throw new HsdoError('unavailable', `${who} at ${place} did not answer: ${describeError(error)}`);
  }
}

const jsonHeader = { 'content-type': 'application/json' };

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > mostBytes) throw new Error(`the answer is longer than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Retry-After in either form (RFC 9110 section 10.2.3), at most an hour. A date is compared with the Date of the same
 * answer and not with our clock.
 */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  const waitMs = /^\d{1,9}$/.test(text)
    ? Number(text) * 1000
    : Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(waitMs) ? Math.min(longestWaitMs, Math.max(0, waitMs)) : undefined;
}

/** One line of at most 120 characters, for messages. */
export const printable = (text: string): string =>
  text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, 120);
