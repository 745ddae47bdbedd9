import { HsdoError } from '../model/error.ts';
import type { Version } from '../store/store.ts';

/**
 * The right to write, as the winner of an election holds it. Every commit of a leader demands that `fence` still
 * stands in the store, so a write from an ended term is refused by the store itself, whatever the writer believes.
 */
export interface Term {
  /** Rises with every change of leader. */
  readonly epoch: number;
  /** Version of the record that only an election changes. */
  readonly fence: Version;
  /** False from the moment on at which the holder's own clock ends the term; absent where no lease bounds it. */
  readonly isHeld?: () => boolean;
}

/**
 * Demands, right before a write leaves, that its writer still leads by its own clock. The fence would refuse a write
 * that came too late; this one is not even begun.
 *
 * @throws HsdoError `conflict`
 */
export function assertHeld(what: string, { epoch, isHeld }: Term): void {
  if (isHeld === undefined || isHeld()) return;
  throw new HsdoError(
    'conflict',
    `Cannot ${what} in epoch ${epoch}: by this process's own clock its lease may have lapsed`,
  );
}

/** The lease as it stands in a store. */
export interface LeaseRecord {
  /** Node id of the holder; empty when it was handed back. */
  readonly holder: string;
  readonly epoch: number;
  /** How long the record is good for after its version last moved, by each observer's own monotonic clock. */
  readonly ttlMs: number;
}

/** Where a lease lives. Two homes exist: the plain store, and item 0 of HSDO's table. */
export interface LeaseHome {
  /** The record and a version that moves with every renewal; `undefined` when there never was one. */
  read(signal: AbortSignal): Promise<{ readonly record: LeaseRecord; readonly version: Version } | undefined>;
  /**
   * Takes the lease if it still is at `expect` (`null`: no record yet), and raises the fence to `record.epoch` in the
   * same transaction. Rejects with `conflict` when somebody was faster. A lost answer is read back.
   */
  acquire(
    record: LeaseRecord,
    expect: Version | null,
    signal: AbortSignal,
  ): Promise<{ readonly term: Term; readonly version: Version }>;
  /** Moves the version, never the fence. Rejects with `conflict` when the lease is not at `expect` any more. A lost answer is read back. */
  renew(record: LeaseRecord, expect: Version, signal: AbortSignal): Promise<Version>;
  /** Optional hint that somebody took, renewed or handed back the lease; without it followers poll. */
  changed?(signal: AbortSignal): Promise<void>;
}
