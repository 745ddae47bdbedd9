import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Change, maxCommitChanges, type Store } from '../store/store.ts';

/** What operators can change. */
export const auditActions = [
  'switchover',
  'purge',
  'decommission',
  'override',
  'override-ended',
  'hold-released',
  'primary-forgotten',
  'maintenance',
  'maintenance-ended',
] as const;

/** One change that somebody asked for, as it is kept in the store. */
export const auditEntrySchema = z.object({
  /** Wall-clock milliseconds of the server that took it. */
  at: z.number().min(0),
  /** Who asked: the name of a token, or how a user of this machine calls himself. */
  by: z.string().max(200),
  /** The address that it came from. */
  from: z.string().max(100),
  /** The server that took it. */
  node: z.string().max(200),
  action: z.enum(auditActions),
  service: z.string().max(64).exactOptional(),
  /** Id of the target, or of the node that was struck off. */
  target: z.string().max(255).exactOptional(),
  /** The state, the token of the hold, or for how long. */
  detail: z.string().max(200).exactOptional(),
});

export type AuditEntry = z.output<typeof auditEntrySchema>;

/** Who changed what and when: the last changes, in the plain store. */
export interface Audit {
  /** The change that keeps an entry. It belongs into the commit of what it tells of, so that neither is there alone. */
  record(entry: AuditEntry): Change;
  /** A store whose every commit keeps the entry as well. */
  beside(entry: AuditEntry): Store;
  /** The last ones, the newest first. What cannot be read is left out. */
  list(limit: number, signal: AbortSignal): Promise<readonly AuditEntry[]>;
  /** Removes what is older than the last `keptEntries`. */
  prune(signal: AbortSignal): Promise<void>;
}

export const keptEntries = 1000;

const root = 'audit/';
/** Digits of milliseconds up to the year 33658, so that the order of keys is the order of time. */
const timeDigits = 15;

export function createAudit(store: Store, kept: number = keptEntries): Audit {
  const record = (entry: AuditEntry): Change => ({
    op: 'put',
    key: `${root}${String(Math.trunc(entry.at)).padStart(timeDigits, '0')}-${randomUUID().slice(0, 8)}`,
    value: JSON.stringify(entry),
    expect: null,
  });
  return {
    record,
    beside: (entry) => ({
      ...store,
      commit: (changes, signal) => store.commit([...changes, record(entry)], signal),
    }),
    async list(limit, signal) {
      const entries = await store.list(root, signal);
      const newestFirst = entries.toReversed().slice(0, kept);
      return newestFirst.flatMap(({ value }) => parse(value) ?? []).slice(0, limit);
    },
    async prune(signal) {
      const old = (await store.list(root, signal)).slice(0, -kept);
      for (let at = 0; at < old.length; at += maxCommitChanges) {
        const some = old.slice(at, at + maxCommitChanges).map(({ key }) => ({ op: 'delete', key }) as const);
        await store.commit(some, signal);
      }
    },
  };
}

function parse(value: string): AuditEntry | undefined {
  try {
    return auditEntrySchema.parse(JSON.parse(value));
  } catch {
    return undefined;
  }
}
