import type { Problem } from '../model/problem.ts';
import type { Refusal } from '../model/target.ts';
import type { LeaseView } from '../publish/lease.ts';

/** The store as one process sees it. */
export interface StoreView {
  readonly kind: string;
  /** Wall-clock milliseconds. */
  readonly lastSuccessAt?: number;
  readonly lastError?: string;
  /** Rows of HSDO's table that are no slots. */
  readonly refusals: readonly Refusal[];
}

/** The cluster at a glance, as one process sees it. */
export interface ClusterView {
  /** As the configuration calls it. */
  readonly name: string;
  /** Who was asked. */
  readonly node: string;
  readonly version: string;
  /** Wall-clock milliseconds of that process. */
  readonly at: number;
  /** Node id of the leader; absent while nobody leads, and in a process that takes no part in the election. */
  readonly leader?: string;
  readonly epoch: number;
  /** What the asked process is in the election; absent where it takes no part. */
  readonly state?: LeaseView['state'];
  readonly store: StoreView;
  /** Registered servers and agents, healthy or not. */
  readonly nodes: number;
  readonly problems: readonly Problem[];
}

/** A server or an agent of the cluster. */
export interface NodeView {
  readonly id: string;
  readonly kind: 'server' | 'agent';
  readonly isLeader: boolean;
  /** It was heard of within its time to live, by the asked process's own clock. */
  readonly isHealthy: boolean;
  /** For how long its record has not moved, as far as the asked process watched, milliseconds. */
  readonly silentMs?: number;
  /** Leaves by itself when it falls silent; others stay until they are decommissioned. */
  readonly isTransient: boolean;
  /** Why it casts no votes although it lives. */
  readonly abstains?: string;
  /** Services that it watches. */
  readonly services: readonly string[];
}

/** A target that an operator may make the active one. */
export interface CandidateView {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port?: number;
  readonly priority: number;
  /** Since when it is up, or without a check in the list; wall-clock milliseconds. */
  readonly sinceAt: number;
}

/** The targets of a service that an operator may switch over to. */
export interface CandidatesView {
  readonly service: string;
  /** Id of the target that it points at now. */
  readonly active?: string;
  readonly activeName?: string;
  readonly candidates: readonly CandidateView[];
}

/** Who asks for a change, and from where. */
export interface Caller {
  /** The name of a token, or how a user of this machine calls himself. */
  readonly name: string;
  /** An address; `nowhere` where there is no connection. */
  readonly from: string;
}

/** A switchover that was asked for and that the leader will honour. */
export interface AskedSwitchover {
  /** Names this very wish; the service's `switchover` has it once it is honoured. */
  readonly token: string;
  readonly targetId: string;
  readonly targetName: string;
}
