import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { documentOf } from '../../../src/api/openapi.ts';
import { routes } from '../../../src/api/routes.ts';

const document = documentOf(routes);
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly schema: unknown }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, unknown>>;
}
const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;

describe('the OpenAPI document', () => {
  it('is one, by the schema of the OpenAPI initiative', async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result).toEqual({ valid: true });
  });

  it('has every route, each with a name of its own', () => {
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    expect(operations).toHaveLength(routes.length);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(routes.length);
  });

  it('tells queries and bodies as they are judged', () => {
    expect(paths['/api/v1/audit']?.['get']?.parameters).toEqual([
      {
        name: 'limit',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
      },
    ]);
    expect(paths['/api/v1/services/{service}/overrides']?.['post']?.requestBody).toMatchObject({
      content: {
        'application/json': {
          schema: {
            required: ['target', 'state'],
            additionalProperties: false,
            properties: { state: { type: 'string' } },
          },
        },
      },
    });
  });

  it('tells how each may be refused', () => {
    const codes = (path: string, method: string) => Object.keys(paths[path]?.[method]?.responses ?? {});
    expect(codes('/healthz', 'get')).toEqual(['200']);
    expect(codes('/readyz', 'get')).toEqual(['200', '503']);
    expect(codes('/api/v1/status', 'get')).toEqual(['200', '401', '403', '409', '500', '503']);
    expect(codes('/api/v1/services/{service}/switchover', 'post')).toEqual([
      '202',
      '401',
      '403',
      '404',
      '409',
      '413',
      '415',
      '422',
      '500',
      '503',
    ]);
  });

  it('changes nothing by any question, and lets nobody change anything with a token that may only read', () => {
    for (const { method, role } of routes) expect(method === 'GET' || role === 'operate').toBe(true);
  });
});
