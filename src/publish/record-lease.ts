import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import type { Store, Version } from '../store/store.ts';
import { encodeRecord, parseRecord } from './snapshot-format.ts';
import type { LeaseHome, LeaseRecord } from './term.ts';

const leaseKey = 'lease';

/** Only an election changes this record, so its version is the fence that every write of a leader demands. */
export const fenceKey = 'epoch';

const leaseRecord = z.object({ holder: z.string().max(200), epoch: z.int().min(0), ttlMs: z.number().min(0) });
const epochRecord = z.object({ epoch: z.int().min(0) });

/** Version of a lease that is not there although an epoch is: somebody removed the record by hand. */
const missing = 'missing';

/** The lease on the plain store: one record that every renewal moves, one that only elections move. */
export function createRecordLease(store: Store): LeaseHome {
  const readEpoch = async (signal: AbortSignal) => {
    const entry = await store.get(fenceKey, signal);
    return entry && { epoch: parseRecord(fenceKey, entry.value, epochRecord).epoch, version: entry.version };
  };
  const toVersion = (written: ReadonlyMap<string, Version>, key: string): Version => {
    const version = written.get(key);
    if (version === undefined) throw new Error(`the store told no version for "${key}"`);
    return version;
  };
  const { changed } = store;
  return {
    ...(changed ? { changed: (signal: AbortSignal) => changed.call(store, leaseKey, signal) } : {}),
    async read(signal) {
      const entry = await store.get(leaseKey, signal);
      if (entry) return { record: parseRecord(leaseKey, entry.value, leaseRecord), version: entry.version };
      const fence = await readEpoch(signal);
      return fence && { record: { holder: '', epoch: fence.epoch, ttlMs: 0 }, version: missing };
    },
    async acquire(record, expect, signal) {
      const fence = await readEpoch(signal);
      if (fence && fence.epoch >= record.epoch) {
        throw new HsdoError('conflict', `Cannot take the lease in epoch ${record.epoch}: ${fence.epoch} has begun`);
      }
      const written = await store.commit(
        [
          { op: 'put', key: leaseKey, value: encodeLease(record), expect: expect === missing ? null : expect },
          { op: 'put', key: fenceKey, value: encodeRecord({ epoch: record.epoch }), expect: fence?.version ?? null },
        ],
        signal,
      );
      const term = { epoch: record.epoch, fence: toVersion(written, fenceKey) };
      return { term, version: toVersion(written, leaseKey) };
    },
    async renew(record, expect, signal) {
      const change = { op: 'put', key: leaseKey, value: encodeLease(record), expect } as const;
      return toVersion(await store.commit([change], signal), leaseKey);
    },
  };
}

function encodeLease({ holder, epoch, ttlMs }: LeaseRecord): string {
  return encodeRecord({ holder, epoch, ttlMs });
}
