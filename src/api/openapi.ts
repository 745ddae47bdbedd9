import { z } from 'zod';
import { version } from '../telemetry/version.ts';
import { answers } from './answers.ts';
import type { Route } from './route.ts';

/** A part of a JSON document. */
type Json = Readonly<Record<string, unknown>>;

/** Codes that a request can be refused with, and what each means. */
const refusals: Readonly<Record<number, string>> = {
  401: 'no token, or a wrong one',
  403: 'the token may only read; or a web page of another origin asks',
  404: 'nothing is called so',
  405: 'another method than the path has',
  409: 'the state of the cluster forbids it, or only a server can be asked; the sentence says why',
  413: 'the body is too large',
  415: 'the body does not say that it is JSON',
  422: 'the body or the query is not as described; the sentence names each fault with its path',
  500: 'a fault of hsdo itself, which its log tells',
  503: 'the store, or this very process, cannot answer now',
};

/** The OpenAPI 3.1 document of these routes, made of the very schemas by which requests are judged and answers are typed. */
export function documentOf(routes: readonly Route[]): Json & { readonly openapi: string } {
  const paths: Record<string, Record<string, Json>> = {};
  for (const one of routes) {
    paths[one.path] = { ...paths[one.path], [one.method.toLowerCase()]: operationOf(one) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'hsdo',
      version,
      description:
        'What hsdo knows and does. Instants are milliseconds since 1970, by the clock of whoever noted them. Answers may get further members in later versions.',
    },
    paths,
    components: {
      schemas: componentsOf(),
      responses: Object.fromEntries(
        Object.entries(refusals).map(([code, description]) => [
          `Refused${code}`,
          { description, ...contentOf(refTo('Error')) },
        ]),
      ),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Only where tokens are configured' },
        key: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same token in another header' },
      },
    },
    security: [{}, { bearer: [] }, { key: [] }],
  };
}

const refTo = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const contentOf = (schema: Json): Json => ({ content: { 'application/json': { schema } } });

function operationOf(one: Route): Json {
  const { method, path, summary, role, answer, body, query } = one;
  const isChange = method !== 'GET';
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const parameters = [...inPath, ...(query === undefined ? [] : queryOf(query))];
  const codes = [
    ...(role === 'nobody' ? [] : [401, 403]),
    ...(inPath.length > 0 || query !== undefined ? [404] : []),
    ...(role === 'nobody' ? [] : [409]),
    ...(isChange ? [413, 415] : []),
    ...(body === undefined && query === undefined ? [] : [422]),
    ...(role === 'nobody' ? [] : [500, 503]),
  ];
  return {
    summary,
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^a-zA-Z0-9]+(\w)?/g, (_, next: string = '') => next.toUpperCase())}`,
    ...(role === 'nobody' ? { security: [{}] } : { 'x-role': role }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, ...contentOf(plain(schemaOf(body))) } }),
    responses: {
      ...Object.fromEntries(codesOf(one).map((code) => [code, { description: answer, content: contentsOf(one) }])),
      ...Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/responses/Refused${code}` }])),
    },
  };
}

/** An answer as JSON, and the events of a route that has a stream: what a frame leaves out is as before. */
function contentsOf({ answer, stream }: Route): Json {
  const { content } = contentOf(refTo(answer)) as { readonly content: Json };
  return stream ? { ...content, 'text/event-stream': { schema: { type: 'string' } } } : content;
}

/** Codes of an answer that is none of the refusals. */
export function codesOf({ answer, status }: Route): readonly number[] {
  if (status !== undefined) return [200, 503];
  return [answer.startsWith('Asked') ? 202 : 200];
}

function queryOf(query: z.ZodType): readonly Json[] {
  const { properties = {} } = schemaOf(query) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}

const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'output' }) as Json;

function plain({ $schema: _dialect, $id: _id, ...schema }: Json): Json {
  return schema;
}

/** Every answer under its name. A client is to read over members that a later version adds, so no object is closed. */
function componentsOf(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(answers)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: 'output',
    uri: (id) => `#/components/schemas/${id}`,
    override({ jsonSchema }) {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain(schema as Json)]));
}
