import { httpCall, jsonIn, reasonOf, retryAfterIn } from '../../http/http-call.ts';
import { HsdoError } from '../../model/error.ts';

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
    const answer = await httpCall(
      {
        url,
        method,
        headers: { accept: 'application/json', ...(body === undefined ? {} : jsonHeader), ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
        mostBytes,
        whenLonger: 'refuse',
      },
      signal,
    );
    const { status, body: text } = answer;
    if (status >= 300 && status < 400) {
      throw new HsdoError('rejected', `${who} at ${place} answered ${status}: redirects are not followed, see baseUrl`);
    }
    const retryAfterMs = retryAfterIn(answer.headers, longestWaitMs);
    return { status, body: jsonIn(text), beginning: printable(text), retryAfterMs };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HsdoError) throw error;
    throw new HsdoError('unavailable', `${who} at ${place} did not answer: ${reasonOf(error)}`);
  }
}

const jsonHeader = { 'content-type': 'application/json' };

/** One line of at most 120 characters, for messages. */
export const printable = (text: string): string =>
  text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, 120);
