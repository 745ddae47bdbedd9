import type { Version } from '../store/store.ts';
import type { Clock } from '../time/clock.ts';
import type { LeaseRecord } from './term.ts';

/** What one process sees of the lease, and for how long it has not moved by that process's own clock. */
export interface Sighting {
  /** Takes what a read or a write of ours showed; `undefined` when there is no record. */
  note(version: Version | undefined, record: LeaseRecord | undefined): void;
  /** The store could not be asked. */
  missed(): void;
  record(): LeaseRecord | undefined;
  /** Milliseconds until the record, unmoved, has stood for as long as it says of itself that it is good. */
  leftMs(): number;
}

/**
 * Counts from the first sight of each version, on the monotonic clock alone. After an outage of the store nobody could
 * renew, so the holder gets a fifth of its ttl to come back before it is taken for gone.
 */
export function createSighting(clock: Clock): Sighting {
  let seen: { readonly version: Version; readonly record: LeaseRecord; readonly since: number } | undefined;
  let hasMissed = false;
  return {
    note(version, record) {
      const now = clock.monotonic();
      if (version === undefined || record === undefined) seen = undefined;
      else if (seen?.version !== version) seen = { version, record, since: now };
      else if (hasMissed) seen = { ...seen, since: Math.max(seen.since, now - record.ttlMs * 0.8) };
      hasMissed = false;
    },
    missed() {
      hasMissed = true;
    },
    record: () => seen?.record,
    leftMs: () => (seen ? Math.max(0, seen.since + seen.record.ttlMs - clock.monotonic()) : 0),
  };
}
