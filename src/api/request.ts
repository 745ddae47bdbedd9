import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';

// What both APIs, that for people and that for agents, do with a request before anybody answers it.

/** What is said of a fault of ours: the rest stands in the log, and is nobody's business outside. */
export const bugWords = 'a fault of hsdo itself; its log tells more';

/** Where a request comes from; nowhere in tests that need no network. */
export function addressOf(context: Context): string {
  const env = context.env as
    | { readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } } }
    | undefined;
  return env?.incoming?.socket?.remoteAddress ?? 'nowhere';
}

/** What is wrong with a part of a request, each fault with its path. */
export function faultsOf({ issues }: z.ZodError, part: string): readonly string[] {
  return issues.map(({ path, message }) => `${path.join('.') || part}: ${message}`);
}

/** Refuses longer bodies. @param contentOf - Makes the answer of the sentence that says so. */
export function boundedBody(maxBytes: number, contentOf: (error: string) => object): MiddlewareHandler {
  return bodyLimit({
    maxSize: maxBytes,
    onError: (context) =>
      // What follows of the body is not read, so nothing else can come over this connection.
      context.json(contentOf(`expected a body of at most ${maxBytes} bytes`), 413, { connection: 'close' }),
  });
}
