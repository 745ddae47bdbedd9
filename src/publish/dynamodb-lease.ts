import { randomUUID } from 'node:crypto';
import type { UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { HsdoError } from '../model/error.ts';
import { type Fate, writeTruly } from '../store/dynamodb-write.ts';
import type { Version } from '../store/store.ts';
import { numberOf, numeric, textOf } from './dynamodb-attributes.ts';
import { decodeControl } from './dynamodb-control.ts';
import { freeItem, idAttribute } from './dynamodb-slots.ts';
import { controlKey, type HsdoTable, readControlItem } from './dynamodb-table.ts';
import type { LeaseHome, LeaseRecord } from './term.ts';

/** Version of a lease that was never in item 0, although the item is there. */
const missing = 'missing';

/**
 * The lease in item 0 of HSDO's table. `LeaseNonce` is its version and moves with every renewal; `Epoch` moves with
 * elections only and is the fence; `Revision` is never touched.
 */
export function createHsdoLease(table: HsdoTable): LeaseHome {
  return {
    async read(signal) {
      const item = await readControlItem(table, true, signal);
      if (!item) return undefined;
      const { epoch } = decodeControl(item);
      const version = textOf(item, 'LeaseNonce');
      const record = { holder: textOf(item, 'LeaseHolder') ?? '', epoch, ttlMs: numberOf(item, 'LeaseTtlMs', 0) ?? 0 };
      if (version !== undefined) return { record, version };
      return epoch > 0 ? { record, version: missing } : undefined;
    },
    async acquire(record, expect, signal) {
      const version = randomUUID();
      await update(table, acquisition(table, record, expect, version), version, expect, signal);
      return { term: { epoch: record.epoch, fence: String(record.epoch) }, version };
    },
    async renew(record, expect, signal) {
      const version = randomUUID();
      await update(table, renewal(table, record, expect, version), version, expect, signal);
      return version;
    },
  };
}

const setLease = '#LeaseHolder = :holder, #LeaseTtlMs = :ttl, #LeaseNonce = :nonce';
const leaseNames = {
  '#LeaseHolder': 'LeaseHolder',
  '#LeaseTtlMs': 'LeaseTtlMs',
  '#LeaseNonce': 'LeaseNonce',
  '#Epoch': 'Epoch',
};
const leaseValues = ({ holder, ttlMs, epoch }: LeaseRecord, version: Version) => ({
  ':holder': { S: holder },
  ':ttl': numeric(ttlMs),
  ':nonce': { S: version },
  ':epoch': numeric(epoch),
});

function renewal(table: HsdoTable, record: LeaseRecord, expect: Version, version: Version): UpdateItemCommandInput {
  return {
    TableName: table.name,
    Key: controlKey,
    UpdateExpression: `SET ${setLease}`,
    ConditionExpression: '#LeaseNonce = :expected AND #Epoch = :epoch',
    ExpressionAttributeNames: leaseNames,
    ExpressionAttributeValues: { ...leaseValues(record, version), ':expected': { S: expect } },
  };
}

/** Makes item 0 where there is none, in the shape of a free slot and with nothing published. */
function acquisition(
  table: HsdoTable,
  record: LeaseRecord,
  expect: Version | null,
  version: Version,
): UpdateItemCommandInput {
  const isFirst = expect === null || expect === missing;
  const { [idAttribute]: _, ...shape } = freeItem(0);
  const names = Object.keys(shape);
  const setShape = names.map((name) => `#${name} = :${name}`).join(', ');
  return {
    TableName: table.name,
    Key: controlKey,
    UpdateExpression: `SET ${setLease}, ${setShape}, #Epoch = :epoch, #Revision = if_not_exists(#Revision, :none)`,
    ConditionExpression: `${isFirst ? 'attribute_not_exists(#LeaseNonce)' : '#LeaseNonce = :expected'} AND (attribute_not_exists(#Epoch) OR #Epoch < :epoch)`,
    ExpressionAttributeNames: {
      ...leaseNames,
      '#Revision': 'Revision',
      ...Object.fromEntries(names.map((name) => [`#${name}`, name])),
    },
    ExpressionAttributeValues: {
      ...leaseValues(record, version),
      ':none': numeric(0),
      ...Object.fromEntries(names.map((name) => [`:${name}`, shape[name] ?? numeric(0)])),
      ...(isFirst ? {} : { ':expected': { S: expect } }),
    },
  };
}

async function update(
  table: HsdoTable,
  input: UpdateItemCommandInput,
  version: Version,
  expect: Version | null,
  signal: AbortSignal,
): Promise<void> {
  const { sdk, client } = table.dynamo;
  const command = new sdk.UpdateItemCommand(input);
  const readBack = async ({ abortSignal }: { abortSignal: AbortSignal }): Promise<Fate> => {
    const item = await readControlItem(table, true, abortSignal);
    const found = item && textOf(item, 'LeaseNonce');
    if (found === version) return 'done';
    return (found ?? null) === (expect === missing ? null : expect) ? 'open' : 'overtaken';
  };
  await writeTruly(
    table,
    table.clock,
    {
      what: 'take or renew the lease',
      send: (options) => client.send(command, options),
      readBack,
      conflict: (cause) =>
        new HsdoError('conflict', `Cannot hold the lease in table "${table.name}": another took it`, { cause }),
    },
    signal,
  );
}
