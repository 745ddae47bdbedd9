import type { HaproxyDelivery } from '../deliver/haproxy/haproxy.ts';
import type { Snapshot } from '../model/snapshot.ts';

/** One service as a client keeps it. */
export interface KeptService {
  readonly name: string;
  readonly delivery: HaproxyDelivery;
  /** The list in use, from the store or from the last run. */
  current(): Snapshot | undefined;
  use(snapshot: Snapshot): void;
}
