import type { Slot } from './slot.ts';

/** Why a step that would remove many targets waits, and for whom. */
export interface Hold {
  /** Names this very hold; an operator releases it by naming it. */
  readonly token: string;
  /** Wall-clock milliseconds. */
  readonly sinceAt: number;
  /** Names of the targets that the sources no longer report and that stay until confirmed. */
  readonly targets: readonly string[];
}

/** No target is up, and what is served nevertheless. */
export interface Panic {
  /** Wall-clock milliseconds. */
  readonly sinceAt: number;
  readonly serves: 'last-good' | 'all' | 'none' | 'first' | 'fallback';
  /** Addresses that answer in place of the targets; with `fallback` alone. Slots do not hold them. */
  readonly fallback?: readonly string[];
}

/** What must be remembered of the primaries of a group that has one writer, over rounds, leaders and restarts. */
export interface PrimaryHistory {
  /** The newest that was ever seen; no primary of a lower timeline is published any more. */
  readonly highestTimeline?: number;
  /** Id of the target that was kept last, also while it is down. */
  readonly lastId?: string;
  /** Token of the operator's last request to forget all this; each is honoured once. */
  readonly forgotten?: string;
}

/** An operator's wish that one target of an active-passive service be the active one, kept until it ends. */
export interface Switchover {
  /** Names this very wish; it stays known after its end, so that it counts once. */
  readonly token: string;
  readonly targetId: string;
  readonly targetName: string;
  /** Who asked. */
  readonly by: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** Why it does not count any more: the target went down, is gone, was taken out by an operator, or the wish was purged. */
  readonly ended?: SwitchoverEnd;
  /** Who purged it. */
  readonly endedBy?: string;
}

export type SwitchoverEnd = 'down' | 'gone' | 'held' | 'purged';

export const switchoverEnds: readonly SwitchoverEnd[] = ['down', 'gone', 'held', 'purged'];

/** What the leader decided for one service, before it is published. */
export interface Desired {
  readonly service: string;
  /** One entry per index, 1 to size, in order. */
  readonly slots: readonly Slot[];
  /** Names of known targets for which no slot was free. */
  readonly unplaced: readonly string[];
  readonly hold?: Hold;
  readonly panic?: Panic;
  /** Id of the target that an active-passive service points at. */
  readonly active?: string;
  /** Since when, wall-clock milliseconds. */
  readonly activeSinceAt?: number;
  /** While a planned maintenance of the service as a whole is on: until when, wall-clock milliseconds. Nobody is told of it meanwhile. */
  readonly maintenanceUntilAt?: number;
  /** The last one that an operator asked for, whether it still counts or not. */
  readonly switchover?: Switchover;
  /** For a service whose targets have roles. */
  readonly primary?: PrimaryHistory;
}

/** The published desired state of a service: the one truth that every client delivers. */
export interface Snapshot extends Desired {
  /** Rises by one with every published change. */
  readonly revision: number;
  /** The generation of the leader that wrote it. */
  readonly epoch: number;
  /** Wall-clock milliseconds of the writer. */
  readonly publishedAt: number;
}
