import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { HsdoError } from '../model/error.ts';
import type { Slot } from '../model/slot.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Refusal } from '../model/target.ts';
import { ask, type Table } from '../store/dynamodb-client.ts';
import { createBackoff } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { type Attributes, numberOf, numeric } from './dynamodb-attributes.ts';
import { type Control, decodeControl } from './dynamodb-control.ts';
import { lastMoved } from './dynamodb-moved.ts';
import { decodeSlot, idAttribute, type Ramp } from './dynamodb-slots.ts';
import type { Term } from './term.ts';

/** HSDO's own table: one service, one item per slot under its number, item 0 for hsdo's bookkeeping. */
export interface HsdoTable extends Table {
  readonly service: string;
  readonly ramp: Ramp;
  readonly clock: Clock;
  /**
   * Where the lease is not in item 0: the action that ties a transaction to the fence of the term in the other table.
   * Without it the epoch of item 0 is the fence.
   */
  readonly fenceAction?: ((term: Term) => TransactWriteItem) | undefined;
  /** Told what could not be read in the items, after every full read. */
  readonly onRefusals?: ((refusals: readonly Refusal[]) => void) | undefined;
}

/** The key as every message names it. */
export const hsdoTableKey = `${idAttribute} (N)`;

/** No list is longer: a higher number is somebody's mistake, and must not make us build a list of that length. */
const maxSize = 10_000;
const readTries = 12;
/** Between two tries, so that readers and rounds do not keep step. */
const rest = { baseMs: 20, maxMs: 300 };
/** On a slot: the revision that put it. */
export const stampAttribute = 'Revision';

export const controlKey: Record<string, AttributeValue> = { [idAttribute]: numeric(0) };

/** Item 0 as it is stored; `undefined` when there is none. */
export async function readControlItem(
  table: HsdoTable,
  isConsistent: boolean,
  signal: AbortSignal,
): Promise<Attributes | undefined> {
  const { sdk, client } = table.dynamo;
  const command = new sdk.GetItemCommand({ TableName: table.name, Key: controlKey, ConsistentRead: isConsistent });
  const { Item } = await ask(table, 'read item 0', signal, (options) => client.send(command, options));
  return Item;
}

/**
 * The whole list, never half a round: what was scanned counts only when it is the state of one revision. That may be
 * the one before the scan, the one that the scan itself found in item 0, or the one after it, so a leader that
 * publishes faster than a scan takes does not keep readers out. A table in which HSDO had the last word gives a snapshot
 * with revision 0 and epoch 0. `undefined` for an empty table.
 */
export async function readTable(table: HsdoTable, signal: AbortSignal): Promise<Snapshot | undefined> {
  const backoff = createBackoff(rest);
  for (let tries = 0; tries < readTries; tries++) {
    if (tries > 0) await table.clock.sleep(backoff.next(), signal);
    const before = await readControl(table, signal);
    const items = await scan(table, signal);
    const found = items.find((item) => numberOf(item, idAttribute) === 0);
    for (const control of [found && decodeControl(found), before]) {
      if (before && control && isStateAt(control, before, items)) return assemble(table, control, items);
    }
    const after = await readControl(table, signal);
    const isSame = before?.revision === after?.revision && before?.nonce === after?.nonce;
    if (isSame || (before && after && isStateAt(after, before, items))) return assemble(table, after, items);
  }
  const message = `Cannot read snapshot "${table.service}": table "${table.name}" changed during each of ${readTries} reads`;
  throw new HsdoError('unavailable', message);
}

/**
 * True when the scanned items are exactly the list at the revision r of `control`. `before` is item 0 as read before
 * the scan, of revision b.
 *
 * Every revision is one transaction that moves item 0 and stamps the slots that it puts. The consistent scan shows each
 * slot at some moment after b, so with all that was put up to b, and possibly more. A stamp of at most r says that
 * nothing from after r is in the slot. What was put after b and up to r may be missing from it, if the scan came by
 * earlier; which slots those are, item 0 tells at r, and there the stamp must be that of the last such revision. (It
 * tells so of some revisions before b as well, should a scan see item 0 of a transaction before its slots.) A removed item bears no stamp, hence a missing slot proves nothing, and neither does one without stamp, which HSDO or
 * an older hsdo wrote. Slots beyond the size at r are no part of the list.
 */
function isStateAt(control: Control, before: Control, items: readonly Attributes[]): boolean {
  const size = sizeOf(control);
  if (control.revision === 0 || size === undefined) return false;
  const moved = lastMoved(control.moved, { since: before.revision, upTo: control.revision, maxIndex: size });
  if (!moved) return false;
  const stamps = new Map(items.map((item) => [numberOf(item, idAttribute), numberOf(item, stampAttribute, 1)]));
  return Array.from({ length: size }, (_, n) => n + 1).every((index) => {
    const stamp = stamps.get(index);
    return stamp !== undefined && stamp <= control.revision && stamp >= (moved.get(index) ?? 0);
  });
}

async function readControl(table: HsdoTable, signal: AbortSignal): Promise<Control | undefined> {
  const item = await readControlItem(table, true, signal);
  return item && decodeControl(item);
}

async function scan(table: HsdoTable, signal: AbortSignal): Promise<readonly Attributes[]> {
  const { sdk, client } = table.dynamo;
  const items: Attributes[] = [];
  let from: Record<string, AttributeValue> | undefined;
  do {
    const command = new sdk.ScanCommand({
      TableName: table.name,
      ConsistentRead: true,
      ...(from === undefined ? {} : { ExclusiveStartKey: from }),
    });
    const page = await ask(table, 'read the slots', signal, (options) => client.send(command, options));
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return items;
}

function assemble(table: HsdoTable, control: Control | undefined, items: readonly Attributes[]): Snapshot | undefined {
  const isOurs = control !== undefined && control.revision > 0;
  const { byIndex, refusals } = sortItems(items);
  const size = (isOurs ? sizeOf(control) : undefined) ?? Math.max(0, ...byIndex.keys());
  if (!isOurs && size === 0) return undefined;
  const context = { ramp: table.ramp, isOurs, readAt: table.clock.now() };
  const slots = Array.from({ length: size }, (_, n): Slot => {
    const item = byIndex.get(n + 1);
    if (!item) return { state: 'free', index: n + 1 };
    const decoded = decodeSlot(n + 1, item, context);
    refusals.push(...decoded.refusals);
    return decoded.slot;
  });
  table.onRefusals?.(refusals);
  const { service } = table;
  if (!isOurs) return { service, slots, unplaced: [], revision: 0, epoch: 0, publishedAt: 0 };
  const { revision, publishedEpoch: epoch, publishedAt, unplaced, hold, panic, primary } = control;
  const { active, activeSinceAt, maintenanceUntilAt, switchover } = control;
  const passing = {
    ...(hold ? { hold } : {}),
    ...(panic ? { panic } : {}),
    ...(active === undefined ? {} : { active }),
    ...(activeSinceAt === undefined ? {} : { activeSinceAt }),
    ...(maintenanceUntilAt === undefined ? {} : { maintenanceUntilAt }),
    ...(switchover ? { switchover } : {}),
    ...(primary ? { primary } : {}),
  };
  return { service, slots, unplaced, ...passing, revision, epoch, publishedAt };
}

function sizeOf({ size }: Control): number | undefined {
  return size !== undefined && Number.isInteger(size) && size <= maxSize ? size : undefined;
}

/** The items by slot; a number that cannot be a slot's is told and left alone. */
function sortItems(items: readonly Attributes[]) {
  const byIndex = new Map<number, Attributes>();
  const refusals: Refusal[] = [];
  for (const item of items) {
    const index = numberOf(item, idAttribute);
    if (index === 0) continue;
    if (index !== undefined && Number.isInteger(index) && index > 0 && index <= maxSize) byIndex.set(index, item);
    else {
      const name = `item ${String(item[idAttribute]?.N).slice(0, 70)}`;
      refusals.push({ name, reason: `${idAttribute}: expected a whole number from 1 to ${maxSize}` });
    }
  }
  return { byIndex, refusals };
}
