import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { HsdoError } from '../model/error.ts';
import { ask } from '../store/dynamodb-client.ts';
import { numeric } from './dynamodb-attributes.ts';
import { encodeForHsdo } from './dynamodb-slots.ts';
import { maxActions } from './dynamodb-snapshots.ts';
import { controlKey, type HsdoTable, readTable } from './dynamodb-table.ts';
import type { LeaseHome, Term } from './term.ts';

/** Holder of the lease while the table is handed back, as a server that waits for its turn would see it. */
const holder = 'release-table';
const ttlMs = 10_000;

/**
 * Gives the table back to HSDO: writes every slot in HSDO's own attributes alone, then removes item 0, at which an
 * HSDO server stops. Whatever happens in between leaves a table that hsdo still owns, and the command can be repeated.
 *
 * @returns how many slots the table has
 * @throws HsdoError `conflict` when a server leads and `force` is not set, or when one took over meanwhile
 */
export async function releaseTable(
  table: HsdoTable,
  lease: LeaseHome,
  { force }: { readonly force: boolean },
  signal: AbortSignal,
): Promise<number> {
  const current = await lease.read(signal);
  if (current && current.record.holder !== '' && !force) await assertLapsed(table, lease, current, signal);
  const found = await lease.read(signal);
  const record = { holder, epoch: (found?.record.epoch ?? 0) + 1, ttlMs };
  const { term, version } = await lease.acquire(record, found?.version ?? null, signal);

  const snapshot = await readTable(table, signal);
  const now = table.clock.now();
  const puts = (snapshot?.slots ?? []).map((slot) => ({
    Put: { TableName: table.name, Item: encodeForHsdo(slot, table.ramp, now) },
  }));
  const room = maxActions - 2;
  for (let n = 0; n < puts.length; n += room) {
    await transact(table, [guard(table, term), ...fence(table, term), ...puts.slice(n, n + room)], signal);
  }
  await transact(table, [removal(table, term), ...fence(table, term)], signal);
  // Where the lease lies elsewhere it is still ours; in item 0 it went with the item.
  if (table.fenceAction) await lease.renew({ ...record, holder: '' }, version, signal);
  return puts.length;
}

/** Watches the lease for its whole time, as every server does that would take over. */
async function assertLapsed(
  table: HsdoTable,
  lease: LeaseHome,
  current: NonNullable<Awaited<ReturnType<LeaseHome['read']>>>,
  signal: AbortSignal,
): Promise<void> {
  await table.clock.sleep(current.record.ttlMs, signal);
  const later = await lease.read(signal);
  if (!later || later.version === current.version || later.record.holder === '') return;
  const message = `Cannot release table "${table.name}": server "${later.record.holder}" leads; stop every hsdo server first, or use --force`;
  throw new HsdoError('conflict', message);
}

/** Item 0 must be of our term; with the lease elsewhere it may be of an earlier one. */
function condition(table: HsdoTable, term: Term) {
  return {
    TableName: table.name,
    Key: controlKey,
    ConditionExpression: table.fenceAction ? 'attribute_not_exists(#Epoch) OR #Epoch <= :epoch' : '#Epoch = :epoch',
    ExpressionAttributeNames: { '#Epoch': 'Epoch' },
    ExpressionAttributeValues: { ':epoch': numeric(term.epoch) },
  };
}

const guard = (table: HsdoTable, term: Term): TransactWriteItem => ({ ConditionCheck: condition(table, term) });
const removal = (table: HsdoTable, term: Term): TransactWriteItem => ({ Delete: condition(table, term) });
const fence = ({ fenceAction }: HsdoTable, term: Term) => (fenceAction ? [fenceAction(term)] : []);

/** Every step may be repeated as it is, so a lost answer is no more than a reason to start again. */
async function transact(table: HsdoTable, actions: readonly TransactWriteItem[], signal: AbortSignal): Promise<void> {
  const { sdk, client } = table.dynamo;
  const command = new sdk.TransactWriteItemsCommand({ TransactItems: [...actions] });
  await ask(table, 'hand back slots', signal, (options) => client.send(command, options));
}
