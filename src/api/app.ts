import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import { suggestion } from '../config/suggest.ts';
import { describeError, HsdoError } from '../model/error.ts';
import { systemClock } from '../time/clock.ts';
import { type ApiToken, createGate } from './access.ts';
import type { Caller } from './cluster-view.ts';
import { createHistory } from './history.ts';
import { createLive, type Live } from './live.ts';
import { codesOf, documentOf } from './openapi.ts';
import { addressOf, boundedBody, bugWords, faultsOf } from './request.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';
import type { View } from './view.ts';

export interface AppOptions {
  /** Without any, the API is for this machine alone. */
  readonly tokens?: readonly ApiToken[];
  readonly maxBodyBytes?: number;
  /** What is told to those who watch; without it, nothing of the past. */
  readonly live?: Live;
  /** What a browser is shown. */
  readonly page?: Hono;
  /** Told of what should never be thrown. */
  readonly onBug?: (error: unknown) => void;
}

type Known = { Variables: { caller: Caller } };
type Code = 200 | 202 | 401 | 403 | 404 | 405 | 409 | 415 | 422 | 500 | 503;

const defaultMaxBodyBytes = 16 * 1024;
const nobody: Caller = { name: 'nobody', from: 'nowhere' };

const refuse = (context: Context, code: Code, error: string, headers: Readonly<Record<string, string>> = {}) =>
  context.json({ error }, code, { ...headers });

type Parsed = { readonly value: unknown } | { readonly fault: string };

function parse(schema: z.ZodType | undefined, raw: unknown, part: string): Parsed {
  if (schema === undefined) return { value: undefined };
  const parsed = schema.safeParse(raw);
  return parsed.success ? { value: parsed.data } : { fault: faultsOf(parsed.error, part).join('; ') };
}

/**
 * The HTTP API: questions by GET, changes by POST and DELETE; errors as `{error}`, one sentence that says what was expected.
 */
export function createApp(view: View, options: AppOptions = {}): Hono<Known> {
  const { tokens = [], maxBodyBytes = defaultMaxBodyBytes, live = liveOf(view), onBug = () => {} } = options;
  const app = new Hono<Known>();
  const gate = createGate(tokens);
  const document = documentOf(routes);
  app.use('*', async (context, next) => {
    await next();
    if (!context.res.headers.has('cache-control')) context.res.headers.set('cache-control', 'no-store');
    context.res.headers.set('x-content-type-options', 'nosniff');
  });

  /** Who asks, or the answer to somebody who may not. */
  const admit = (context: Context, { role }: Pick<Route, 'role'>): Caller | Response => {
    if (role === 'nobody') return nobody;
    const { method } = context.req;
    const caller = gate({ method, header: (name) => context.req.header(name), from: addressOf(context) }, role);
    return 'error' in caller ? refuse(context, caller.code, caller.error, caller.headers) : caller;
  };

  async function answer(context: Context<Known>, route: Route): Promise<Response> {
    const query = parse(route.query, context.req.query(), 'query');
    if ('fault' in query) return refuse(context, 422, query.fault);
    const raw: unknown = route.body === undefined ? undefined : await context.req.json().catch(() => undefined);
    const body = parse(route.body, raw, 'body');
    if ('fault' in body) return refuse(context, 422, body.fault);
    const param = (name: string) => context.req.param(name) ?? '';
    const asked = { ...(query.value as object | undefined), ...context.req.param() } as { readonly service?: string };
    const missing = unknownService(view, asked.service);
    if (missing !== undefined) return refuse(context, 404, missing);
    const caller = context.get('caller');
    const call = { view, live, caller, param, query: query.value, body: body.value, document };
    if (route.stream && context.req.header('accept')?.includes(eventStream)) return streamed(route.stream(call));
    const content = await route.handle(call);
    if (content === undefined) return refuse(context, 404, `nothing is there: ${context.req.path}`);
    return context.json(content, route.status?.(content) ?? (codesOf(route)[0] as 200 | 202));
  }

  const limited = boundedBody(maxBodyBytes, (error) => ({ error }));
  for (const route of routes) {
    const admitted: MiddlewareHandler<Known> = async (context, next) => {
      const caller = admit(context, route);
      if (caller instanceof Response) return caller;
      context.set('caller', caller);
      return next();
    };
    app.on(route.method, honoPath(route.path), admitted, limited, (context) => answer(context, route));
  }
  for (const [path, methods] of methodsByPath()) {
    app.all(honoPath(path), (context) => {
      const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
      return refuse(context, 405, `expected ${allow} for ${path}, not ${context.req.method}`, { allow });
    });
  }
  if (options.page) app.route('/', options.page);
  app.notFound((context) => refuse(context, 404, `no such address: ${context.req.method} ${context.req.path}`));
  app.onError((error, context) => {
    if (!(error instanceof HsdoError)) {
      onBug(error);
      return refuse(context, 500, bugWords);
    }
    const isRefused = error.code === 'rejected' || error.code === 'conflict';
    return refuse(context, isRefused ? 409 : 503, describeError(error));
  });
  return app;
}

const liveOf = (view: View) => createLive({ view, clock: systemClock, history: createHistory(systemClock) });

const eventStream = 'text/event-stream';
/** The second header keeps nginx from collecting it. */
const streamed = (body: ReadableStream<Uint8Array>) =>
  new Response(body, { headers: { 'content-type': eventStream, 'x-accel-buffering': 'no' } });

const honoPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1');

function methodsByPath(): ReadonlyMap<string, readonly string[]> {
  const byPath = new Map<string, string[]>();
  for (const { path, method } of routes) byPath.set(path, [...(byPath.get(path) ?? []), method]);
  return byPath;
}

/** Of the services, where the name that was asked for is like none of them. */
const mostNamesTold = 8;

function unknownService(view: View, service: string | undefined): string | undefined {
  if (service === undefined) return undefined;
  const names = view.serviceNames();
  if (names.includes(service)) return undefined;
  const near =
    suggestion(service, names) ||
    `; expected ${names.slice(0, mostNamesTold).join(', ') || 'none: there is no service'}`;
  return `no service is called ${JSON.stringify(service)}${near}`;
}
