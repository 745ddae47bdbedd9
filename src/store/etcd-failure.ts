import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import type { Answer } from './etcd-exchange.ts';

/** gRPC status codes (grpc.io, Status codes) as the gateway puts them into the body of a refusal. */
const grpc = {
  invalidArgument: 3,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

/** Refusals that etcd gives before a write is done. After all others (leader changed, time-out, ...) it may be. */
const surelyNotDone: ReadonlySet<number> = new Set(Object.values(grpc));

const bodySchema = z.object({
  code: z.int().optional(),
  grpc_code: z.int().optional(),
  error: z.string().optional(),
  message: z.string().optional(),
});

/** What etcd said instead of an answer. */
export interface EtcdRefusal {
  readonly code: number | undefined;
  readonly text: string;
  readonly isSurelyNotDone: boolean;
  /** The token is unknown, too old, or made before rights were changed: a new one may help. */
  readonly isAboutToken: boolean;
}

/** Reads a refusal from the body of an answer, or from a line of a stream. */
export function parseRefusal(status: number, body: unknown): EtcdRefusal {
  const parsed = bodySchema.safeParse(body);
  const { code: plainCode, grpc_code, message, error } = parsed.success ? parsed.data : {};
  const code = plainCode ?? grpc_code ?? (status === 404 ? grpc.unimplemented : undefined);
  const text = (message ?? error ?? `HTTP status ${status}`).replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
  return {
    code,
    text,
    isSurelyNotDone: code !== undefined && surelyNotDone.has(code),
    isAboutToken: code === grpc.unauthenticated || /auth token|user name is empty|revision of auth store/.test(text),
  };
}

/** As {@link parseRefusal}, of a whole answer with a status other than 200. */
export function refusalIn({ status, text }: Answer): EtcdRefusal {
  try {
    return parseRefusal(status, JSON.parse(text));
  } catch {
    // The front of the gateway speaks plainly, as to a client certificate with a common name beside logins.
    const code = status >= 400 && status < 500 && status !== 429 ? { code: grpc.invalidArgument } : {};
    return parseRefusal(status, { message: text.trim(), ...(status === 404 ? {} : code) });
  }
}

/** True for what etcd says to a revision that it has thrown away. */
export const isCompacted = (text: string): boolean => text.includes('has been compacted');

/** True when etcd asks for no logins at all. */
export const isAuthOff = (refusal: EtcdRefusal): boolean => refusal.text.includes('authentication is not enabled');

/** Who asked for what, for messages. */
export interface Asker {
  readonly origin: string;
  readonly username?: string | undefined;
  readonly prefix: string;
}

/** The refusal in our words: `rejected` where only a person can help, `unavailable` where time may. */
export function failureOf(refusal: EtcdRefusal, { origin, username, prefix }: Asker): HsdoError {
  const { code, text } = refusal;
  const said = `etcd at ${JSON.stringify(origin)} said ${JSON.stringify(text)}`;
  const who = username === undefined ? 'hsdo logs in as nobody' : `the user ${JSON.stringify(username)}`;
  const rejected = (wanted: string) => new HsdoError('rejected', `${said}: ${wanted}`);
  if (isCompacted(text)) return new HsdoError('unavailable', said);
  if (code === grpc.permissionDenied) {
    return rejected(`${who} lacks a right; expected a role with readwrite on all keys that begin with "${prefix}"`);
  }
  if (code === grpc.unimplemented) return rejected('expected etcd 3.4 or newer with its JSON gateway under /v3');
  if (text.includes('user name is empty')) return rejected(`${who}; expected username and password to be set`);
  if (text.includes('authentication failed')) return rejected(`${who} or its password is not accepted`);
  if (code === grpc.unauthenticated) return rejected(`${who}; expected a login that etcd accepts`);
  if (/too large|larger than max/.test(text)) return rejected('expected less in one commit (--max-request-bytes)');
  const isForGood = code === grpc.invalidArgument || code === grpc.failedPrecondition;
  return isForGood && !refusal.isAboutToken ? rejected('expected it to be taken') : new HsdoError('unavailable', said);
}
