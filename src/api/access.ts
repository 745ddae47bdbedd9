import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import type { Secret } from '../model/secret.ts';

/** What is compared in the place of a token: always of one length. */
export const digest = (text: string) => createHash('sha256').update(text).digest();

/** Compares in a time that tells nothing about the token. */
function matches(given: string, token: Secret): boolean {
  return timingSafeEqual(digest(given), digest(token.reveal()));
}

/** The token as sent: `Authorization: Bearer`, or `X-API-Key`. */
function sentToken(context: Context): string | undefined {
  const header = context.req.header('authorization');
  if (header?.toLowerCase().startsWith('bearer ')) return header.slice('bearer '.length).trim();
  return context.req.header('x-api-key');
}

/** Names under which a browser may reach a loopback address; any other Host was sent by a page that rebound its name. */
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** True for a Host that means this machine. */
export const isLoopbackHost = (host: string | undefined): boolean => loopback.test(host ?? '');

/**
 * With a token configured, demands it. Without one the API listens on loopback only, and then a web page open in
 * somebody's browser must not get at it: the Host has to be a loopback name, and a change has to say that it is
 * JSON, which a form cannot.
 */
export function access(token: Secret | undefined): MiddlewareHandler {
  return async (context, next) => {
    if (token) {
      const sent = sentToken(context);
      if (sent === undefined) return context.json({ error: 'expected a token: Authorization: Bearer TOKEN' }, 401);
      if (!matches(sent, token)) return context.json({ error: 'the token is wrong' }, 403);
    } else if (!isLoopbackHost(context.req.header('host'))) {
      return context.json({ error: 'expected a loopback name as Host, since no token is configured' }, 403);
    }
    const isChange = context.req.method !== 'GET' && context.req.method !== 'HEAD';
    if (isChange && !context.req.header('content-type')?.toLowerCase().startsWith('application/json')) {
      return context.json({ error: 'expected Content-Type: application/json' }, 415);
    }
    return next();
  };
}
