import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { numberSchema } from './etcd-client.ts';
import { pack, unpack } from './packing.ts';
import type { Change, Entry, Version } from './store.ts';

const base64 = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64');

/** A key as etcd has it in JSON. */
export const wireKey = (prefix: string, key: string): string => base64(prefix + key);

/** All keys that begin with `prefix` and `key`: the end is the first that does not (etcd API, key ranges). */
export function wireRange(prefix: string, key: string): { key: string; range_end: string } {
  const start = Buffer.from(prefix + key);
  const end = Buffer.from(start);
  // Keys are ASCII, so the last byte can always be raised.
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1);
  return { key: base64(start), range_end: base64(end) };
}

/** The key under which every commit leaves its id: the prefix itself, which no entry can have. */
export const markKey = '';

/** One key with its value. */
export const kvSchema = z.object({ key: z.base64(), value: z.base64().default(''), mod_revision: numberSchema });
export type Kv = z.output<typeof kvSchema>;

export const rangeSchema = z.object({ kvs: z.array(kvSchema).default([]) });

export const txnSchema = z.object({
  succeeded: z.boolean().default(false),
  responses: z.array(z.object({ response_range: rangeSchema.optional() })).default([]),
});

/** The key of an entry, without the prefix. */
export function keyOf(prefix: string, kv: Kv): string {
  return Buffer.from(kv.key, 'base64').toString('latin1').slice(prefix.length);
}

/**
 * An entry as the contract has it. Its version is the revision that wrote it, which etcd never gives twice.
 *
 * @throws HsdoError `rejected` for a value that hsdo did not write
 */
export function toEntry(prefix: string, kv: Kv): Entry {
  const key = keyOf(prefix, kv);
  return { key, value: unpack(prefix + key, Buffer.from(kv.value, 'base64')), version: String(kv.mod_revision) };
}

const versionPattern = /^[1-9]\d{0,18}$/;

/** True for a version that etcd can have given. */
export const isRevision = (version: Version): boolean => versionPattern.test(version);

/** Changes that demand something of their key. */
export const expecting = (changes: readonly Change[]): readonly Change[] =>
  changes.filter(({ expect }) => expect !== undefined);

/** A read of one key without its value. */
const look = (prefix: string, key: string) => ({ request_range: { key: wireKey(prefix, key), keys_only: true } });

/** The commit as one transaction; refused, it tells how the keys stand that something was expected of. */
export function commitBody(prefix: string, changes: readonly Change[], id: string) {
  const compare = expecting(changes).map(({ key, expect }) => ({
    key: wireKey(prefix, key),
    target: 'MOD',
    result: 'EQUAL',
    mod_revision: expect ?? '0',
  }));
  const writes = changes.flatMap((change): readonly object[] => {
    const key = wireKey(prefix, change.key);
    if (change.op === 'put') return [{ request_put: { key, value: base64(pack(change.value)) } }];
    return change.op === 'delete' ? [{ request_delete_range: { key } }] : [];
  });
  const mark = { request_put: { key: wireKey(prefix, markKey), value: base64(id) } };
  return {
    compare,
    success: writes.length === 0 ? [] : [mark, ...writes],
    failure: expecting(changes).map(({ key }) => look(prefix, key)),
  };
}

/** A read of the mark, and of how the keys stand that something was expected of, at one revision. */
export function settleBody(prefix: string, changes: readonly Change[]) {
  const mark = { request_range: { key: wireKey(prefix, markKey) } };
  return { success: [mark, ...expecting(changes).map(({ key }) => look(prefix, key))] };
}

type Txn = z.output<typeof txnSchema>;

/** Of changes that expected something, the first whose key stands otherwise, by the answers to `look` from `at` on. */
export function loserIn(changes: readonly Change[], { responses }: Txn, at: number): Change | undefined {
  return expecting(changes).find(({ expect }, n) => {
    const range = responses[at + n]?.response_range;
    if (range === undefined) throw new HsdoError('unavailable', 'Cannot commit: etcd left out how a key stands');
    const [kv] = range.kvs;
    return (kv === undefined ? null : String(kv.mod_revision)) !== expect;
  });
}
