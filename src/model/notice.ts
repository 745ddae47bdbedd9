import type { ClusterEvent } from './event.ts';

/** What goes out at once: everything that became known in one moment about one service, or about the cluster. */
export interface Notice {
  /** Stable over retries, restarts and changes of leader, so that a receiver can drop what it has already. */
  readonly id: string;
  readonly cluster: string;
  /** Absent: about the cluster itself. */
  readonly service?: string;
  /** `resolved`: what was wrong is over; `reminder`: it goes on. */
  readonly state: 'alert' | 'info' | 'resolved' | 'reminder';
  /** One line for people. */
  readonly title: string;
  /** At least one, in the order in which they happened. */
  readonly events: readonly ClusterEvent[];
}
