import type { z } from 'zod';
import type { Role } from './access.ts';
import type { AnswerName, answers } from './answers.ts';
import type { Caller } from './cluster-view.ts';
import type { Live } from './live.ts';
import type { View } from './view.ts';

/** One request, its parts parsed. */
export interface Call<Query, Body> {
  readonly view: View;
  readonly live: Live;
  readonly caller: Caller;
  /** A part of the path that the route names in braces. */
  readonly param: (name: string) => string;
  readonly query: Query;
  readonly body: Body;
  /** What the API says of itself. */
  readonly document: { readonly openapi: string };
}

export type AnswerOf<Name extends AnswerName> = z.output<(typeof answers)[Name]>;

interface RouteShape<Query, Body, Name extends AnswerName> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As in OpenAPI: `/api/v1/services/{service}`. A `{service}` there, or `service` in the query, is known before the route is asked. */
  readonly path: string;
  /** One line for people, which begins with what it does. */
  readonly summary: string;
  /** What a token must allow; `nobody` asks for none. */
  readonly role: Role | 'nobody';
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  readonly answer: Name;
  /** `undefined` means that what the path names is not there. */
  handle(call: Call<Query, Body>): Promise<AnswerOf<Name> | undefined>;
  /** The answer to whoever asks for `text/event-stream`. */
  stream?(call: Call<Query, Body>): ReadableStream<Uint8Array>;
  /** Default: 200, and 202 for what the leader does later. */
  status?(answer: AnswerOf<Name>): 200 | 202 | 503;
}

/** A route with its types forgotten: what it gets has passed its own schemas. */
export type Route = Omit<RouteShape<unknown, unknown, AnswerName>, 'handle' | 'status' | 'stream'> & {
  // Methods, so that each route may ask for what its own schemas let through.
  handle(call: Call<unknown, unknown>): Promise<unknown>;
  stream?(call: Call<unknown, unknown>): ReadableStream<Uint8Array>;
  status?(answer: unknown): 200 | 202 | 503;
};

/** One line of the table of routes; its query, body and answer are of the types that its schemas have. */
export function route<Name extends AnswerName, Query = undefined, Body = undefined>(
  shape: RouteShape<Query, Body, Name>,
): Route {
  return shape as Route;
}
