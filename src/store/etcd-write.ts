import { randomUUID } from 'node:crypto';
import { HsdoError } from '../model/error.ts';
import { type EtcdClient, isAboutCompaction } from './etcd-client.ts';
import {
  commitBody,
  expecting,
  isRevision,
  type Kv,
  loserIn,
  markKey,
  rangeSchema,
  settleBody,
  txnSchema,
  wireKey,
} from './etcd-wire.ts';
import { assertCommit, conflictAt } from './limits.ts';
import type { Change, Version } from './store.ts';

const action = 'commit';
const txnPath = '/v3/kv/txn';
const rangePath = '/v3/kv/range';

/** Commits of others that are looked through for one's own after a lost answer. */
const maxSteps = 1000;

/**
 * Applies all changes in one transaction (etcd API, Transaction). Every commit that writes leaves its id under one key,
 * whose history tells after a lost answer whether it was done, also when others wrote since.
 *
 * @throws HsdoError `conflict` when it surely lost, `rejected` when etcd refuses it for good, `unavailable` when it was
 * not done as far as can be seen, or when that cannot be told
 */
export async function commitToEtcd(
  client: EtcdClient,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Version>> {
  assertCommit(changes);
  signal.throwIfAborted();
  const impossible = expecting(changes).find(({ expect }) => typeof expect === 'string' && !isRevision(expect));
  if (impossible) throw conflictAt(impossible.key);
  const id = randomUUID();
  const question = { path: txnPath, body: commitBody(client.prefix, changes, id) };
  if (changes.every(({ op }) => op === 'check')) {
    const answer = await client.ask(action, question, txnSchema, signal);
    return versionsIn(changes, answer);
  }
  const from = client.revision() ?? (await currentRevision(client, signal));
  const sent = await client.send(action, question, txnSchema, signal);
  if ('answer' in sent) return versionsIn(changes, sent.answer);
  return settle(client, changes, { id, from, doubt: sent.doubt }, signal);
}

type TxnAnswer = Parameters<typeof loserIn>[1] & { readonly header: { readonly revision: bigint } };

function versionsIn(changes: readonly Change[], answer: TxnAnswer): ReadonlyMap<string, Version> {
  if (!answer.succeeded) throw conflictAt((loserIn(changes, answer, 0) ?? expecting(changes)[0])?.key ?? '');
  return versionsAt(changes, answer.header.revision);
}

/** All puts of one transaction have its revision. */
function versionsAt(changes: readonly Change[], revision: bigint): ReadonlyMap<string, Version> {
  return new Map(changes.flatMap(({ op, key }) => (op === 'put' ? [[key, String(revision)] as const] : [])));
}

async function currentRevision(client: EtcdClient, signal: AbortSignal): Promise<bigint> {
  const body = { key: wireKey(client.prefix, markKey), keys_only: true };
  const { header } = await client.ask('read the revision', { path: rangePath, body }, rangeSchema, signal);
  return header.revision;
}

interface Doubt {
  readonly id: string;
  /** Seen before the commit was sent. */
  readonly from: bigint;
  readonly doubt: HsdoError;
}

async function settle(
  client: EtcdClient,
  changes: readonly Change[],
  { id, from, doubt }: Doubt,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Version>> {
  let now: TxnAnswer;
  let doneAt: bigint | undefined;
  try {
    const question = { path: txnPath, body: settleBody(client.prefix, changes) };
    now = await client.ask('read back a commit', question, txnSchema, signal);
    doneAt = await findMark(client, now.responses[0]?.response_range?.kvs[0], id, from, signal);
  } catch (error) {
    signal.throwIfAborted();
    const message = `Cannot ${action}: the answer was lost and it cannot be read what became of the write: ${doubt.message}`;
    throw new HsdoError('unavailable', message, { cause: error });
  }
  if (doneAt !== undefined) return versionsAt(changes, doneAt);
  const loser = loserIn(changes, now, 1);
  if (loser) throw conflictAt(loser.key, { cause: doubt });
  throw new HsdoError('unavailable', `Cannot ${action}: ${doubt.message}`, { cause: doubt.cause });
}

/** Walks from the newest mark to those before it, until it finds `id` or comes to what is older than the commit. */
async function findMark(
  client: EtcdClient,
  newest: Kv | undefined,
  id: string,
  from: bigint,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const wanted = Buffer.from(id).toString('base64');
  let mark = newest;
  for (let steps = 0; mark !== undefined && mark.mod_revision > from; steps++) {
    if (mark.value === wanted) return mark.mod_revision;
    if (steps === maxSteps) throw new HsdoError('unavailable', `${maxSteps} commits of others were made since`);
    const body = { key: wireKey(client.prefix, markKey), revision: String(mark.mod_revision - 1n) };
    mark = await markAt(client, body, from, signal);
  }
  return undefined;
}

async function markAt(
  client: EtcdClient,
  body: { readonly key: string; readonly revision: string },
  from: bigint,
  signal: AbortSignal,
): Promise<Kv | undefined> {
  try {
    const { kvs } = await client.ask('read back a commit', { path: rangePath, body }, rangeSchema, signal);
    return kvs[0];
  } catch (error) {
    if (!isAboutCompaction(error)) throw error;
    const message = `revision ${body.revision} was compacted away, and the commit was sent at ${from}`;
    throw new HsdoError('unavailable', message, { cause: error });
  }
}
