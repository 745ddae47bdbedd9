import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { storeSchema, stores } from '../../../src/store/stores.ts';

const faults = (config: unknown) => storeSchema.safeParse(config).error?.issues.map((issue) => issue.message) ?? [];

describe('the configuration of a store', () => {
  it('knows every kind that can be opened, and no other', () => {
    const kinds = storeSchema.options.map((option) => [...option.shape.kind.values][0]);
    expect(new Set(kinds)).toEqual(new Set(Object.keys(stores)));
    expect(faults({ kind: 'mysql' })).toHaveLength(1);
  });

  it('needs no more of DynamoDB than the name of a table', () => {
    expect(storeSchema.parse({ kind: 'dynamodb', hsdoTable: 'slots' })).toEqual({
      kind: 'dynamodb',
      hsdoTable: 'slots',
      scope: 'hsdo',
      requestTimeoutMs: 1000,
    });
    expect(faults({ kind: 'dynamodb' })).toEqual([expect.stringContaining('names no table')]);
    expect(faults({ kind: 'dynamodb', table: 't', endpoint: 'localhost:8000' })).toHaveLength(1);
    expect(faults({ kind: 'dynamodb', table: 't', tabel: 'x' })).toHaveLength(1);
  });

  it('never shows a key', () => {
    const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'very-secret', sessionToken: 'also-secret' };
    const config = storeSchema.parse({ kind: 'dynamodb', table: 't', credentials });
    expect(`${JSON.stringify(config)} ${inspect(config, { depth: 9 })}`).not.toMatch(/secret-?['"]|very|also/);
  });
});
