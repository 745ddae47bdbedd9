import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Config } from '../config/schema.ts';
import { describeError } from '../model/error.ts';
import { idAttribute } from '../publish/dynamodb-slots.ts';
import type { DynamodbConfig } from '../store/dynamodb.ts';
import { type Dynamo, openDynamo } from '../store/dynamodb-client.ts';
import { type Examination, type Finding, fault, ok } from './finding.ts';
import { remedyOf } from './remedy.ts';

type Key = Record<string, AttributeValue>;

/** One right on one table, and a call that needs it and does nothing. */
interface Trial {
  readonly action: string;
  send(dynamo: Dynamo, options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

/** The number of a slot that no list has. */
const noSlot = '999999999';

/**
 * The rights that a process needs on each table, one by one, so that the missing one is known by its name. A write is
 * tried under a condition that never holds: DynamoDB looks at the right first, then refuses, and writes nothing.
 */
export function tableExaminations(
  { aws }: Config,
  store: DynamodbConfig,
  { isServer }: { readonly isServer: boolean },
): readonly Examination[] {
  const tables = [
    { name: store.table, key: { Scope: { S: store.scope }, Key: { S: 'doctor/never' } } as Key, first: 'Scope' },
    { name: store.hsdoTable, key: { [idAttribute]: { N: noSlot } } as Key, first: idAttribute },
  ];
  return tables.flatMap(({ name, key, first }) => {
    if (name === undefined) return [];
    const about = `table ${name}`;
    const look = async (signal: AbortSignal): Promise<readonly Finding[]> => {
      const region = store.region ?? aws.region;
      const profile = store.profile ?? aws.profile;
      const dynamo = await openDynamo({ ...store, region, profile });
      try {
        const wanted = [readTrial(name, key), ...(isServer ? writeTrials(name, key, first) : [])];
        const found = await Promise.all(wanted.map((trial) => tryRight(about, trial, dynamo, signal)));
        const faults = found.filter((finding) => finding !== undefined);
        const rights = wanted.map(({ action }) => action.replace('dynamodb:', '')).join(', ');
        return faults.length > 0 ? faults : [ok(about, `key and rights are right: ${rights}`)];
      } finally {
        dynamo.client.destroy();
      }
    };
    return [{ about, remedy: 'look at region and credentials', look }];
  });
}

function readTrial(table: string, key: Key): Trial {
  return {
    action: 'dynamodb:GetItem',
    send: ({ sdk, client }, options) => client.send(new sdk.GetItemCommand({ TableName: table, Key: key }), options),
  };
}

function writeTrials(table: string, key: Key, first: string): readonly Trial[] {
  const never = {
    TableName: table,
    ConditionExpression: 'attribute_exists(#first) AND attribute_not_exists(#first)',
    ExpressionAttributeNames: { '#first': first },
  };
  return [
    {
      action: 'dynamodb:PutItem',
      send: ({ sdk, client }, options) => client.send(new sdk.PutItemCommand({ ...never, Item: key }), options),
    },
    {
      action: 'dynamodb:UpdateItem',
      send: ({ sdk, client }, options) => client.send(new sdk.UpdateItemCommand({ ...never, Key: key }), options),
    },
    {
      action: 'dynamodb:DeleteItem',
      send: ({ sdk, client }, options) => client.send(new sdk.DeleteItemCommand({ ...never, Key: key }), options),
    },
    {
      action: 'dynamodb:ConditionCheckItem',
      send: ({ sdk, client }, options) =>
        client.send(
          new sdk.TransactWriteItemsCommand({ TransactItems: [{ ConditionCheck: { ...never, Key: key } }] }),
          options,
        ),
    },
  ];
}

async function tryRight(
  about: string,
  { action, send }: Trial,
  dynamo: Dynamo,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  try {
    await send(dynamo, { abortSignal: signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return trialFinding(about, action, error);
  }
}

/** What the failure of a trial means; `undefined`: the right is there, and nothing was written. */
export function trialFinding(about: string, action: string, error: unknown): Finding | undefined {
  const name = error instanceof Error ? error.name : '';
  if (name === 'ConditionalCheckFailedException' || name === 'TransactionCanceledException') return undefined;
  const said = `${name}: ${describeError(error)}`;
  if (name === 'AccessDeniedException') {
    return fault(about, `the right to ${action} is missing`, remedyOf(`${said} ${action}`, ''));
  }
  if (name === 'ResourceNotFoundException') {
    return fault(about, 'there is no such table in this region and account', remedyOf('no such table', ''));
  }
  if (name === 'ValidationException') {
    const says = `${action} says: ${describeError(error)}`;
    return fault(
      about,
      says,
      'make the table with the key that hsdo needs: BackendServerID (N) for HSDO, Scope (S) and Key (S) for the store; terraform/ does',
    );
  }
  return fault(about, `${action}: ${said}`, remedyOf(said, 'look at region, endpoint and network'));
}
