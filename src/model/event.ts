/** What people are told of. The words are those of ARCHITECTURE.md and of dhaf. */
export const eventKinds = [
  'target-up',
  'target-down',
  'failover',
  'switchover',
  'switching',
  'switchover-purged',
  'service-up',
  'service-down',
  'node-up',
  'node-down',
  'new-leader',
] as const;

export type EventKind = (typeof eventKinds)[number];

/** Something that happened in a cluster, as it is kept, told to notifiers and shown. */
export interface ClusterEvent {
  /** Names this event for good; whoever is told twice knows it by this. */
  readonly id: string;
  readonly kind: EventKind;
  /** Wall-clock milliseconds of the leader that noticed it. */
  readonly at: number;
  /** Absent: about the cluster. */
  readonly service?: string;
  /** Name of the target that it is about; for a change of the active one the new one. */
  readonly target?: string;
  readonly address?: string;
  /** Name of the target that was active before. */
  readonly from?: string;
  /** The server or agent that it is about. */
  readonly node?: string;
  /** Why, in words for people. */
  readonly reason?: string;
  /** The operator who asked for it. */
  readonly by?: string;
}
