import { z } from 'zod';
import type { Clock } from '../time/clock.ts';
import { dynamodbSchema, openDynamoStore } from './dynamodb.ts';
import { openSqliteStore, sqliteSchema } from './sqlite.ts';
import type { Store } from './store.ts';

/** `store:` in the configuration; `kind` names the engine. */
export const storeSchema = z.discriminatedUnion('kind', [sqliteSchema, dynamodbSchema]);
export type StoreConfig = z.infer<typeof storeSchema>;

type Openers = {
  readonly [Kind in StoreConfig['kind']]: (
    config: Extract<StoreConfig, { kind: Kind }>,
    clock: Clock,
    signal: AbortSignal,
  ) => Promise<Store>;
};

/** The kinds of plain store. A new one is its file and a line here and in the schema above. */
export const stores: Openers = {
  sqlite: openSqliteStore,
  dynamodb: openDynamoStore,
};
