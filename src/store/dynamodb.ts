import { randomUUID } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { secret } from '../model/secret.ts';
import type { Clock } from '../time/clock.ts';
import { ask, type Dynamo, openDynamo, type Table } from './dynamodb-client.ts';
import { cancellationReasons } from './dynamodb-failure.ts';
import { keyOf, type Place, toAction, toEntry } from './dynamodb-items.ts';
import { type Fate, type Write, writeTruly } from './dynamodb-write.ts';
import { assertCommit, assertKey, conflictAt } from './limits.ts';
import type { Change, Entry, Store, Version } from './store.ts';

const secretText = z.string().min(1).transform(secret);

/** Which tables are meant, and how DynamoDB is reached. */
export const dynamodbSchema = z
  .strictObject({
    kind: z.literal('dynamodb'),
    /** The plain store: partition key `Scope` (S), sort key `Key` (S). */
    table: z.string().min(1).optional(),
    /** HSDO's own table of one service: partition key `BackendServerID` (N). */
    hsdoTable: z.string().min(1).optional(),
    /** The service whose list is in `hsdoTable`; must be said where several are configured. */
    hsdoService: z.string().min(1).optional(),
    /** Partition of the plain store, so that several clusters can share one table. */
    scope: z.string().min(1).max(255).default('hsdo'),
    region: z.string().min(1).optional(),
    /** Section of the AWS configuration files. */
    profile: z.string().min(1).optional(),
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
    /** Only where the usual chain of credentials does not serve. */
    credentials: z
      .strictObject({
        accessKeyId: z.string().min(1),
        secretAccessKey: secretText,
        sessionToken: secretText.optional(),
      })
      .optional(),
    /** Limit of one request; a call makes three at most. */
    requestTimeoutMs: z.int().min(50).max(60_000).default(1000),
  })
  .refine((config) => config.table !== undefined || config.hsdoTable !== undefined, {
    message: 'names no table: set table (the plain store), hsdoTable (the table of HSDO) or both',
  });
export type DynamodbConfig = z.infer<typeof dynamodbSchema>;

type There = Place & Table;

/**
 * The plain store on a table with string keys. A version is a random id of its commit, so that after a lost answer
 * the commit recognises itself.
 */
export function createDynamoStore(dynamo: Dynamo, place: Place, clock: Clock): Store {
  const there: There = { ...place, dynamo, name: place.table, key: 'Scope (S), Key (S)' };
  return {
    async get(key, signal, options) {
      assertKey(key);
      return readEntry(there, key, options?.mayBeStale !== true, signal);
    },
    list: (prefix, signal) => query(there, prefix, signal),
    commit: (changes, signal) => commit(there, clock, changes, signal),
    async close() {
      dynamo.client.destroy();
    },
  };
}

/**
 * Opens the plain store that the configuration names. Nothing is asked of DynamoDB yet, so that a process starts
 * while it is away.
 *
 * @throws HsdoError `config` when it names none
 */
export async function openDynamoStore(config: DynamodbConfig, clock: Clock): Promise<Store> {
  const { table, scope } = config;
  if (table === undefined) throw new HsdoError('config', 'Cannot open a plain store in DynamoDB: set "table"');
  return createDynamoStore(await openDynamo(config), { table, scope }, clock);
}

async function readEntry(there: There, key: string, isConsistent: boolean, signal: AbortSignal) {
  const command = new there.dynamo.sdk.GetItemCommand({
    TableName: there.table,
    Key: keyOf(there, key),
    ConsistentRead: isConsistent,
  });
  const what = `read "${key}"`;
  const { Item } = await ask(there, what, signal, (options) => there.dynamo.client.send(command, options));
  return Item && toEntry(there, Item);
}

async function query(there: There, prefix: string, signal: AbortSignal): Promise<readonly Entry[]> {
  const { scope, table } = there;
  const narrow = prefix !== '';
  const entries: Entry[] = [];
  let from: Record<string, AttributeValue> | undefined;
  do {
    const command = new there.dynamo.sdk.QueryCommand({
      TableName: table,
      ConsistentRead: true,
      KeyConditionExpression: narrow ? '#scope = :scope AND begins_with(#key, :prefix)' : '#scope = :scope',
      ExpressionAttributeNames: { '#scope': 'Scope', ...(narrow ? { '#key': 'Key' } : {}) },
      ExpressionAttributeValues: { ':scope': { S: scope }, ...(narrow ? { ':prefix': { S: prefix } } : {}) },
      ...(from === undefined ? {} : { ExclusiveStartKey: from }),
    });
    const what = `list "${prefix}"`;
    const page = await ask(there, what, signal, (options) => there.dynamo.client.send(command, options));
    entries.push(...(page.Items ?? []).map((item) => toEntry(there, item)));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return entries;
}

async function commit(
  there: There,
  clock: Clock,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Version>> {
  assertCommit(changes);
  const version = randomUUID();
  const [first] = changes;
  const write: Write = {
    what: 'commit',
    send: changes.length === 1 && first ? sendOne(there, first, version) : sendAll(there, changes, version),
    readBack: (options) => readBack(there, changes, version, options.abortSignal),
    conflict: (cause) => conflictAt(nameLoser(changes, cause), { cause }),
  };
  await writeTruly(there, clock, write, signal);
  return new Map(changes.flatMap((change) => (change.op === 'put' ? [[change.key, version] as const] : [])));
}

/** A put or delete alone costs half of what a transaction does. */
function sendOne(there: There, change: Change, version: Version): Write['send'] {
  const { sdk, client } = there.dynamo;
  const { Put, Delete } = toAction(there, change, version);
  if (Put) return (options) => client.send(new sdk.PutItemCommand(Put), options);
  if (Delete) return (options) => client.send(new sdk.DeleteItemCommand(Delete), options);
  return sendAll(there, [change], version);
}

function sendAll(there: There, changes: readonly Change[], version: Version): Write['send'] {
  const { sdk, client } = there.dynamo;
  const command = new sdk.TransactWriteItemsCommand({
    TransactItems: changes.map((change) => toAction(there, change, version)),
    // A repetition that DynamoDB recognises is answered as the first one was.
    ClientRequestToken: version,
  });
  return (options) => client.send(command, options);
}

function nameLoser(changes: readonly Change[], cause: unknown): string {
  const at = cancellationReasons(cause).findIndex((reason) => reason.Code === 'ConditionalCheckFailed');
  const conditional = changes.find((change) => change.expect !== undefined);
  return (changes[at] ?? conditional ?? changes[0])?.key ?? '';
}

/**
 * Our version under any key shows that the commit is done. A key at neither its expected nor our version can never
 * be as expected again, so the commit has lost (or was replaced within the same seconds, and whoever replaced it had
 * read it). A removal has no mark: gone is what was wanted, whoever did it.
 */
async function readBack(
  there: There,
  changes: readonly Change[],
  version: Version,
  signal: AbortSignal,
): Promise<Fate> {
  const found = await Promise.all(
    changes.map(async (change) => ({ change, entry: await readEntry(there, change.key, true, signal) })),
  );
  if (found.some(({ entry }) => entry?.version === version)) return 'done';
  const puts = changes.some((change) => change.op === 'put');
  const removals = found.filter(({ change }) => change.op === 'delete');
  if (!puts && removals.length > 0 && removals.every(({ entry }) => entry === undefined)) return 'done';
  const isLost = found.some(
    ({ change, entry }) => change.expect !== undefined && (entry?.version ?? null) !== change.expect,
  );
  return isLost ? 'overtaken' : 'open';
}
