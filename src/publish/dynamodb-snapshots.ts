import { randomUUID } from 'node:crypto';
import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { HsdoError } from '../model/error.ts';
import { isSameSlot, type Slot } from '../model/slot.ts';
import type { Desired, Snapshot } from '../model/snapshot.ts';
import { type Fate, writeTruly } from '../store/dynamodb-write.ts';
import { numeric } from './dynamodb-attributes.ts';
import { decodeControl, encodeControl, passingAttributes } from './dynamodb-control.ts';
import { addMoved } from './dynamodb-moved.ts';
import { encodeSlot, freeItem, idAttribute } from './dynamodb-slots.ts';
import { controlKey, type HsdoTable, readControlItem, readTable, stampAttribute } from './dynamodb-table.ts';
import type { Snapshots } from './snapshots.ts';
import { assertHeld, type Term } from './term.ts';

/** Actions that one transaction may hold (DynamoDB, TransactWriteItems). */
export const maxActions = 100;

/**
 * Snapshots of the one service whose list is HSDO's table.
 *
 * A change of more slots than one transaction holds goes out as several, each with a revision of its own. Every reader
 * sees a whole list all the same, since the list is valid after each of them: slots that become free go first, so a
 * target that leaves one slot is in no other before, and a slot not yet written is as it was. A reader in between
 * only sees fewer of the new targets than there will be a moment later.
 */
export function createHsdoSnapshots(table: HsdoTable): Snapshots {
  const assertService = (service: string) => {
    if (service === table.service) return;
    const message = `Cannot keep service "${service}" in table "${table.name}": it is HSDO's table of "${table.service}"; several services need the plain store (table)`;
    throw new HsdoError('rejected', message);
  };
  const history: History = {};
  return {
    async revision(service, signal) {
      assertService(service);
      const item = await readControlItem(table, false, signal);
      return item ? decodeControl(item).revision : 0;
    },
    async read(service, signal) {
      assertService(service);
      return readTable(table, signal);
    },
    async write(previous, desired, term, publishedAt, signal) {
      assertService(desired.service);
      return write(table, previous, desired, { term, publishedAt, history }, signal);
    },
  };
}

/** What this leader wrote last, to tell readers which slots the latest revisions moved. */
interface History {
  last?: { readonly revision: number; readonly moved: string };
}

interface Authority {
  readonly term: Term;
  readonly publishedAt: number;
  readonly history: History;
}

async function write(
  table: HsdoTable,
  previous: Snapshot | undefined,
  desired: Desired,
  authority: Authority,
  signal: AbortSignal,
): Promise<Snapshot> {
  const actions = slotActions(table, previous, desired, authority.publishedAt);
  const room = maxActions - (table.fenceAction ? 2 : 1);
  let revision = previous?.revision ?? 0;
  for (let n = 0; n === 0 || n < actions.length; n += room) {
    await writeRevision(table, revision, desired, actions.slice(n, n + room), authority, signal);
    revision += 1;
  }
  return { ...desired, revision, epoch: authority.term.epoch, publishedAt: authority.publishedAt };
}

/** What must change, slots that become free first. A list that is not ours yet is written as a whole. */
function slotActions(
  { name: TableName, ramp }: HsdoTable,
  previous: Snapshot | undefined,
  desired: Desired,
  writtenAt: number,
): readonly TransactWriteItem[] {
  const known = previous !== undefined && previous.revision > 0 ? previous.slots : [];
  const changed = desired.slots.filter((slot) => {
    const before = known[slot.index - 1];
    return before === undefined || !isSameSlot(before, slot);
  });
  const order = (slot: Slot) => (slot.state === 'taken' ? 1 : 0);
  const puts = [...changed]
    .sort((a, b) => order(a) - order(b) || a.index - b.index)
    .map((slot) => ({ Put: { TableName, Item: encodeSlot(slot, ramp, writtenAt) } }));
  const removed = (previous?.slots ?? []).slice(desired.slots.length).map(({ index }) => ({
    Delete: { TableName, Key: { [idAttribute]: numeric(index) } },
  }));
  return [...removed, ...puts];
}

/** One revision: the slots, item 0 and the proof that this leader still leads, all or nothing. */
async function writeRevision(
  table: HsdoTable,
  revision: number,
  desired: Desired,
  slots: readonly TransactWriteItem[],
  { term, publishedAt, history }: Authority,
  signal: AbortSignal,
): Promise<void> {
  const nonce = randomUUID();
  const moved = addMoved(
    revision + 1,
    slots.map(indexOf),
    history.last?.revision === revision ? history.last.moved : undefined,
  );
  const control = encodeControl(desired, { revision: revision + 1, epoch: term.epoch, publishedAt, nonce, moved });
  const { sdk, client } = table.dynamo;
  const command = new sdk.TransactWriteItemsCommand({
    ClientRequestToken: nonce,
    TransactItems: [
      { Update: updateOf(table, revision, control) },
      ...(table.fenceAction ? [table.fenceAction(term)] : []),
      ...slots.map((action) => stamped(action, revision + 1)),
    ],
  });
  const conflict = (cause: unknown) => {
    const message = `Cannot publish "${desired.service}": revision ${revision} in epoch ${term.epoch} is not current any more`;
    return new HsdoError('conflict', message, { cause });
  };
  const readBack = async ({ abortSignal }: { abortSignal: AbortSignal }): Promise<Fate> => {
    const item = await readControlItem(table, true, abortSignal);
    const found = item && decodeControl(item);
    if (found?.nonce === nonce) return 'done';
    return (found?.revision ?? 0) !== revision || (found?.epoch ?? 0) > term.epoch ? 'overtaken' : 'open';
  };
  const send = (options: { abortSignal: AbortSignal }) => client.send(command, options);
  assertHeld(`publish "${desired.service}"`, term);
  await writeTruly(table, table.clock, { what: `publish revision ${revision + 1}`, send, readBack, conflict }, signal);
  history.last = { revision: revision + 1, moved };
}

function indexOf({ Put, Delete }: TransactWriteItem): number {
  return Number((Put?.Item ?? Delete?.Key)?.[idAttribute]?.N);
}

/** Marks a slot with the revision that puts it, for readers to tell old from new: see `isStateAt` in dynamodb-table.ts. */
function stamped(action: TransactWriteItem, revision: number): TransactWriteItem {
  if (!action.Put) return action;
  return { Put: { ...action.Put, Item: { ...action.Put.Item, [stampAttribute]: numeric(revision) } } };
}

/**
 * Sets the given attributes of item 0, beside the lease, which may lie there and has its own rhythm. Passes only on
 * top of `revision` and only for the leader.
 */
function updateOf(table: HsdoTable, revision: number, control: Record<string, AttributeValue>) {
  const { [idAttribute]: _, ...shape } = freeItem(0);
  const attributes = Object.entries({ ...shape, ...control });
  const gone = passingAttributes.filter((name) => control[name] === undefined);
  const isFirst = revision === 0 ? 'attribute_not_exists(#Revision) OR ' : '';
  // With the lease elsewhere the first write of a term claims the table; else the election has done so.
  const isLeaders = table.fenceAction ? '(attribute_not_exists(#Epoch) OR #Epoch <= :Epoch)' : '#Epoch = :Epoch';
  return {
    TableName: table.name,
    Key: controlKey,
    UpdateExpression: `SET ${attributes.map(([name]) => `#${name} = :${name}`).join(', ')}${gone.length === 0 ? '' : ` REMOVE ${gone.map((name) => `#${name}`).join(', ')}`}`,
    ConditionExpression: `(${isFirst}#Revision = :previous) AND ${isLeaders}`,
    ExpressionAttributeNames: Object.fromEntries(
      [...gone, ...attributes.map(([name]) => name)].map((name) => [`#${name}`, name]),
    ),
    ExpressionAttributeValues: {
      ...Object.fromEntries(attributes.map(([name, value]) => [`:${name}`, value])),
      ':previous': numeric(revision),
    },
  };
}
