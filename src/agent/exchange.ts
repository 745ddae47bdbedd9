import { printable } from '../discover/show.ts';
import { httpCall, jsonIn, reasonOf, retryAfterIn } from '../http/http-call.ts';
import { HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import type { AgentServer } from './config.ts';
import { tokenHeader } from './wire.ts';

/** What a server said to one request. */
export interface Answer {
  readonly status: number;
  /** The parsed JSON; undefined for what is none. */
  readonly body: unknown;
  /** What the server wants to be waited for (RFC 9110 section 10.2.3), milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The server's clock by its Date header, milliseconds since 1970, to half a second. */
  readonly dateAt: number | undefined;
  /** By this process's wall clock, milliseconds since 1970. */
  readonly askedAt: number;
  readonly answeredAt: number;
}

export interface Exchange {
  /**
   * Asks once. Redirects are not followed: they would take the token elsewhere.
   *
   * @throws HsdoError `unavailable` when no whole answer came within 5 s, or a longer one than 5 MB.
   */
  ask(path: string, json: string | undefined, signal: AbortSignal): Promise<Answer>;
}

const timeoutMs = 5000;
const mostBytes = 5_000_000;
const longestWaitMs = 60_000;

/** The way to one server. */
export function createExchange({ name, url, token }: AgentServer, clock: Clock): Exchange {
  const base = url.replace(/\/+$/, '');
  const headers = {
    accept: 'application/json',
    ...(token === undefined ? {} : { [tokenHeader]: token.reveal() }),
  };

  async function send(path: string, json: string | undefined, signal: AbortSignal): Promise<Answer> {
    const askedAt = clock.now();
    const post = { method: 'POST', body: json, headers: { ...headers, 'content-type': 'application/json' } } as const;
    const what = json === undefined ? ({ method: 'GET', headers } as const) : post;
    const answer = await httpCall({ ...what, url: `${base}${path}`, mostBytes, whenLonger: 'refuse' }, signal);
    const answeredAt = clock.now();
    const retryAfterMs = retryAfterIn(answer.headers, longestWaitMs);
    const dateAt = dateOf(answer.headers.get('date'));
    return { status: answer.status, body: jsonIn(answer.body), retryAfterMs, dateAt, askedAt, answeredAt };
  }

  return {
    async ask(path, json, signal) {
      try {
        return await withDeadline('it', timeoutMs, signal, (inner) => send(path, json, inner));
      } catch (error) {
        signal.throwIfAborted();
        throw new HsdoError('unavailable', `Cannot ask server "${name}" at ${base}: ${reasonOf(error)}`, {
          cause: error,
        });
      }
    },
  };
}

/** The header has whole seconds that have begun. */
function dateOf(header: string | null): number | undefined {
  const at = header === null ? Number.NaN : Date.parse(header);
  return Number.isNaN(at) ? undefined : at + 500;
}

/** What an answer says for people: `403: no such token`, shortened, and without the token that a server may repeat. */
export function showAnswer(
  { status, body }: Pick<Answer, 'status' | 'body'>,
  { token }: Pick<AgentServer, 'token'>,
): string {
  const detail = detailOf(body);
  if (detail === undefined) return String(status);
  const secretText = token?.reveal();
  return `${status}: ${printable(secretText === undefined ? detail : detail.replaceAll(secretText, '***'))}`;
}

/** `{"detail": ...}`, a sentence or FastAPI's list of `{"msg": sentence}`. */
function detailOf(body: unknown): string | undefined {
  const detail = fieldOf(body, 'detail') ?? fieldOf(body, 'error');
  const first = Array.isArray(detail) ? fieldOf(detail[0], 'msg') : detail;
  return typeof first === 'string' ? first : undefined;
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
}
