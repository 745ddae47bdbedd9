import type { Desired, Snapshot } from '../model/snapshot.ts';
import type { Term } from './term.ts';

/** Where snapshots live. Two homes exist: the plain store, and HSDO's table in DynamoDB. */
export interface Snapshots {
  /** The current revision, 0 when nothing was published. The cheapest read the engine has; may lag behind a write. */
  revision(service: string, signal: AbortSignal): Promise<number>;
  /** The whole snapshot, never half a round; `undefined` when nothing was published. */
  read(service: string, signal: AbortSignal): Promise<Snapshot | undefined>;
  /**
   * Publishes `desired` on top of `previous` (`undefined`: the first one) in one transaction that demands
   * `term.fence` and that `previous` is still current. Rejects with `conflict` otherwise, and then nothing was
   * written. A lost answer is read back. `publishedAt` is the writer's wall clock in milliseconds.
   */
  write(
    previous: Snapshot | undefined,
    desired: Desired,
    term: Term,
    publishedAt: number,
    signal: AbortSignal,
  ): Promise<Snapshot>;
  /** Optional hint that a newer revision may be there. */
  changed?(service: string, signal: AbortSignal): Promise<void>;
}
