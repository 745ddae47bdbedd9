import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { HsdoError } from '../model/error.ts';
import type { Change, Entry, Expectation, Version } from './store.ts';

type Item = Readonly<Record<string, AttributeValue>>;

/** Where the entries of a plain store lie: a table, and the partition in it. */
export interface Place {
  readonly table: string;
  readonly scope: string;
}

/** The primary key of an entry's item. */
export const keyOf = ({ scope }: Place, key: string): Record<string, AttributeValue> => ({
  Scope: { S: scope },
  Key: { S: key },
});

/** Names and values are stand-ins throughout: `Key` and `Value` are among DynamoDB's reserved words. */
function conditionOf(expect: Expectation | undefined) {
  if (expect === undefined) return {};
  if (expect === null) {
    return {
      ConditionExpression: 'attribute_not_exists(#version)',
      ExpressionAttributeNames: { '#version': 'Version' },
    };
  }
  return {
    ConditionExpression: '#version = :expected',
    ExpressionAttributeNames: { '#version': 'Version' },
    ExpressionAttributeValues: { ':expected': { S: expect } },
  };
}

/** One action that lets a transaction, also one on other tables, pass only while `key` is as expected here. */
export function checkAction(place: Place, key: string, expect: Expectation): TransactWriteItem {
  return {
    ConditionCheck: {
      TableName: place.table,
      Key: keyOf(place, key),
      ConditionExpression: 'attribute_not_exists(#version)',
      ...conditionOf(expect),
    },
  };
}

/** One change of a commit as an action of a transaction. */
export function toAction(place: Place, change: Change, version: Version): TransactWriteItem {
  const { table: TableName } = place;
  switch (change.op) {
    case 'check':
      return checkAction(place, change.key, change.expect);
    case 'delete':
      return { Delete: { TableName, Key: keyOf(place, change.key), ...conditionOf(change.expect) } };
    case 'put':
      return { Put: { TableName, Item: toItem(place, change, version), ...conditionOf(change.expect) } };
  }
}

function toItem(place: Place, { key, value }: { key: string; value: string }, version: Version) {
  return { ...keyOf(place, key), Value: { S: value }, Version: { S: version } };
}

/**
 * Reads an item that somebody wrote.
 *
 * @throws HsdoError `rejected` when it is not one of ours
 */
export function toEntry(place: Place, item: Item): Entry {
  const [key, value, version] = [item['Key']?.S, item['Value']?.S, item['Version']?.S];
  if (key !== undefined && value !== undefined && version !== undefined) return { key, value, version };
  const message = `Cannot read "${key ?? '?'}" in table "${place.table}": its attributes Value and Version must be strings; hsdo did not write this item`;
  throw new HsdoError('rejected', message);
}
