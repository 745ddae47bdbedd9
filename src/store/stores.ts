import { z } from 'zod';
import type { Clock } from '../time/clock.ts';
import { consulStoreSchema, openConsulStore } from './consul.ts';
import { dynamodbSchema, openDynamoStore } from './dynamodb.ts';
import { etcdSchema, openEtcdStore } from './etcd.ts';
import { openSqliteStore, sqliteSchema } from './sqlite.ts';
import type { Store } from './store.ts';

/** `store:` in the configuration; `kind` names the engine. */
export const storeSchema = z.discriminatedUnion('kind', [sqliteSchema, dynamodbSchema, etcdSchema, consulStoreSchema]);
export type StoreConfig = z.infer<typeof storeSchema>;

type Kind = StoreConfig['kind'];
type Configs = { readonly [K in Kind]: Extract<StoreConfig, { kind: K }> };
type Openers = { readonly [K in Kind]: (config: Configs[K], clock: Clock, signal: AbortSignal) => Promise<Store> };

/** The kinds of plain store. A new one is its file and a line here and in the schema above. */
export const stores: Openers = {
  sqlite: openSqliteStore,
  dynamodb: openDynamoStore,
  etcd: openEtcdStore,
  consul: openConsulStore,
};

/**
 * Opens the plain store that the configuration names.
 *
 * @throws HsdoError as its kind does
 */
export function openStore<K extends Kind>(config: Configs[K], clock: Clock, signal: AbortSignal): Promise<Store> {
  const open: Openers[K] = stores[config.kind as K];
  return open(config, clock, signal);
}
