import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../model/secret.ts';
import type { Caller } from './cluster-view.ts';

/** What a token allows: questions, or changes as well. */
export const roles = ['read', 'operate'] as const;

export type Role = (typeof roles)[number];

/** One who may use the API. */
export interface ApiToken {
  readonly name: string;
  readonly role: Role;
  readonly token: Secret;
}

/** What of a request tells who asks. */
export interface Asking {
  readonly method: string;
  /** A header by its name, in small letters. */
  readonly header: (name: string) => string | undefined;
  /** The address that it came from. */
  readonly from: string;
}

export interface Refused {
  readonly code: 401 | 403 | 415;
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is compared in the place of a token: always of one length. */
export const digest = (text: string) => createHash('sha256').update(text).digest();

/** The token as sent: `Authorization: Bearer`, or `X-API-Key`. */
function sentToken({ header }: Pick<Asking, 'header'>): string | undefined {
  const authorization = header('authorization');
  if (authorization?.toLowerCase().startsWith('bearer ')) return authorization.slice('bearer '.length).trim();
  return header('x-api-key');
}

/** Names under which a browser may reach a loopback address; any other Host was sent by a page that rebound its name. */
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** True for a Host that means this machine. */
export const isLoopbackHost = (host: string | undefined): boolean => loopback.test(host ?? '');

export const refused = (code: Refused['code'], error: string, headers: Refused['headers'] = {}): Refused => ({
  code,
  error,
  headers,
});

/** Whose token was sent, or why it is nobody's; compared in a time that tells nothing about the tokens. */
export function createLock<T extends { readonly token: Secret }>(
  tokens: readonly T[],
): (asking: Pick<Asking, 'header'>) => T | Refused {
  const keys = tokens.map((one) => ({ one, digest: digest(one.token.reveal()) }));
  return (asking) => {
    const sent = sentToken(asking);
    if (sent === undefined) return refused(401, 'expected a token: Authorization: Bearer TOKEN', challenge());
    const own = digest(sent);
    const [key] = keys.filter((each) => timingSafeEqual(own, each.digest));
    return key?.one ?? refused(401, 'the token is wrong', challenge('invalid_token'));
  };
}

/**
 * Who may ask what. With tokens every request needs one of them. Without any the API listens on loopback only, and then a
 * web page open in somebody's browser must not get at it: the Host has to be a loopback name. A change has to say that it
 * is JSON, which a form cannot, and a page of another origin may not ask for one (RFC 6454 section 7).
 */
export function createGate(tokens: readonly ApiToken[]): (asking: Asking, role: Role) => Caller | Refused {
  const lock = createLock(tokens);
  return (asking, role) => {
    const { header, from } = asking;
    const user = userOf(header('x-hsdo-user'));
    let name = user ?? 'api';
    if (tokens.length > 0) {
      const key = lock(asking);
      if ('error' in key) return key;
      if (role === 'operate' && key.role !== 'operate') {
        const error = `expected a token of role operate: "${key.name}" may only read`;
        return refused(403, error, challenge('insufficient_scope'));
      }
      // The name of a user is only what he calls himself.
      name = user === undefined ? key.name : `${key.name} (${user})`;
    } else if (!isLoopbackHost(header('host'))) {
      return refused(403, 'expected a loopback name as Host, since no token is configured');
    }
    return foreign(asking) ?? { name, from };
  };
}

/** RFC 6750 section 3. */
function challenge(error?: string): Readonly<Record<string, string>> {
  return { 'www-authenticate': `Bearer realm="hsdo"${error === undefined ? '' : `, error="${error}"`}` };
}

function userOf(sent: string | undefined): string | undefined {
  const user = sent
    ?.replaceAll(/\p{Cc}/gu, '')
    .trim()
    .slice(0, 100);
  return user === '' ? undefined : user;
}

/** Why a change may have been sent by a page of somebody else. */
function foreign({ method, header }: Asking): Refused | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  const origin = header('origin');
  if (origin !== undefined && !isOwn(origin, header('host'))) {
    return refused(403, `expected no page of another origin, not ${JSON.stringify(origin.slice(0, 100))}`);
  }
  if (header('content-type')?.toLowerCase().startsWith('application/json')) return undefined;
  return refused(415, 'expected Content-Type: application/json');
}

function isOwn(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
