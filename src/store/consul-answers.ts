import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import type { Secret } from '../model/secret.ts';
import { type Endpoint, reasonOf } from './endpoints.ts';

/** Who asks, and where the entries lie. */
export interface ConsulAccess {
  readonly token?: Secret | undefined;
  readonly datacenter?: string | undefined;
  readonly prefix: string;
  /** Limit of one request to one agent, beside what a blocking query waits. */
  readonly requestTimeoutMs: number;
}

const pairSchema = z.object({
  Key: z.string(),
  Value: z.base64().nullable(),
  Flags: z.number(),
  ModifyIndex: z.int().positive(),
});
export type Pair = z.output<typeof pairSchema>;

const doneSchema = z.object({ Results: z.array(z.object({ KV: pairSchema })).nullable() });
const refusedSchema = z.object({ Errors: z.array(z.object({ OpIndex: z.int().min(0), What: z.string() })).min(1) });
export type Refusals = z.output<typeof refusedSchema>['Errors'];

/** The answer to a transaction: what it read and wrote, or why it was refused as a whole. */
export type TxnAnswer = ({ readonly pairs: readonly Pair[] } | { readonly refusals: Refusals }) & {
  /** The server that answered has no leader, or has not heard of it for a while. */
  readonly isOld: boolean;
};

export interface KeysAnswer {
  readonly count: number;
  /** X-Consul-Index, only to be compared. */
  readonly index: string;
}

/** How long a server may have heard nothing of the leader for its stale answer to count. */
const maxLagMs = 5000;

export interface Response {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

export interface Failure {
  readonly error: HsdoError;
  readonly isSurelyNotDone: boolean;
  readonly response?: Response | undefined;
}

export type Outcome = { readonly response: Response; readonly body: unknown } | Failure;

export const nameOf = (endpoint: Endpoint) => `Consul at "${endpoint.origin}"`;
export const isFailure = (outcome: Outcome): outcome is Failure => 'error' in outcome;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Calls of the system that fail before anything was sent. */
const connecting = new Set(['connect', 'getaddrinfo']);

/** A call that failed, in our words, and whether it may have been done all the same. */
export function failureOf({ prefix }: ConsulAccess, endpoint: Endpoint, thrown: unknown): Failure {
  const fields = isRecord(thrown) ? thrown : {};
  const response = isRecord(fields['response']) ? (fields['response'] as unknown as Response) : undefined;
  const status = response?.statusCode;
  if (thrown instanceof HsdoError) return { error: thrown, isSurelyNotDone: false };
  if (status === undefined) {
    const error = new HsdoError('unavailable', `${nameOf(endpoint)} cannot be asked: ${reasonOf(thrown)}`, {
      cause: thrown,
    });
    return { error, isSurelyNotDone: connecting.has(String(fields['syscall'])) };
  }
  const text = textOf(response?.body);
  // The response holds the request, and that the token, so it is no cause of what is told.
  const said = `${nameOf(endpoint)} said ${status}${text === '' ? '' : ` ${JSON.stringify(text)}`}`;
  if (status === 401 || status === 403 || isAboutRights(text)) {
    return { error: lacksRight(said, prefix), isSurelyNotDone: true, response };
  }
  if (status === 413)
    return {
      error: new HsdoError('rejected', `${said}: the commit is too large for one transaction`),
      isSurelyNotDone: true,
    };
  const isRefused = status >= 300 && status < 500 && status !== 429;
  return {
    error: new HsdoError(isRefused ? 'rejected' : 'unavailable', said),
    isSurelyNotDone: isRefused || status === 429 || /No cluster leader|No path to datacenter/.test(text),
    response,
  };
}

function textOf(body: unknown): string {
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : typeof body === 'string' ? body : '';
  return text
    .trim()
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 200);
}

const isAboutRights = (text: string) => /Permission denied|ACL not found/.test(text);

/** `said` is what Consul said, or what it kept silent about. */
export function lacksRight(said: string, prefix: string): HsdoError {
  const wanted = `expected a token with key_prefix "${prefix}" { policy = "write" }`;
  return new HsdoError('rejected', `${said}: the token is unknown or lacks a right; ${wanted}`);
}

/** What a transaction brought. A refusal comes with status 409, also one for want of rights. */
export function answerOf(endpoint: Endpoint, outcome: Outcome): TxnAnswer {
  if (!isFailure(outcome)) {
    const parsed = doneSchema.safeParse(outcome.body);
    if (!parsed.success) throw strange(endpoint);
    return { pairs: (parsed.data.Results ?? []).map(({ KV }) => KV), isOld: lags(outcome.response) };
  }
  if (outcome.response?.statusCode !== 409) throw outcome.error;
  const parsed = refusedSchema.safeParse(outcome.response.body);
  if (!parsed.success) throw outcome.error;
  return { refusals: parsed.data.Errors, isOld: lags(outcome.response) };
}

function lags({ headers }: Response): boolean {
  const lagMs = Number(headers['x-consul-lastcontact'] ?? 0);
  return headers['x-consul-knownleader'] === 'false' || !(lagMs <= maxLagMs);
}

export const strange = (endpoint: Endpoint) =>
  new HsdoError('unavailable', `${nameOf(endpoint)} gave an answer that Consul does not give`);

/** Keys that do not exist are a list of none, which Consul says with status 404. */
export function keysOf(endpoint: Endpoint, outcome: Outcome): KeysAnswer {
  if (isFailure(outcome) && outcome.response?.statusCode !== 404) throw outcome.error;
  const index = outcome.response?.headers['x-consul-index'];
  const body = isFailure(outcome) ? [] : outcome.body;
  if (!Array.isArray(body) || index === undefined || !/^\d{1,20}$/.test(index)) throw strange(endpoint);
  return { count: body.length, index };
}

/** True for a refusal for want of rights. */
export const isDenied = (refusals: Refusals): boolean => refusals.some(({ What }) => isAboutRights(What));
