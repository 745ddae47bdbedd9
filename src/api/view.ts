import type { TargetStatistics } from '../check/statistics.ts';
import type { Vote } from '../model/ballot.ts';
import type { ClusterEvent } from '../model/event.ts';
import type { Problem } from '../model/problem.ts';
import type { OutReason, Override, Slot, SlotHealth } from '../model/slot.ts';
import type { Hold, Panic, PrimaryHistory, Switchover } from '../model/snapshot.ts';
import type { Refusal } from '../model/target.ts';
import type { AuditEntry } from '../publish/audit.ts';
import type { LeaseView } from '../publish/lease.ts';
import type { Report } from '../publish/reports.ts';
import type { OverrideRequest } from '../publish/requests.ts';
import type { AskedSwitchover, Caller, CandidatesView, ClusterView, NodeView, StoreView } from './cluster-view.ts';
import type { Pulse } from './pulse.ts';
import type { SwitchView } from './switch-view.ts';

/** How one source of a service does, in this process. */
export interface SourceView {
  readonly label: string;
  readonly targets: number;
  /** Wall-clock milliseconds. */
  readonly lastSuccessAt?: number;
  readonly lastError?: string;
  /** Failed reads in a row. */
  readonly failures: number;
  readonly nextTryAt?: number;
  readonly refusals: readonly Refusal[];
}

/**
 * What a service is in, the worst first: `unknown` (the store is away, and this process never read its list), `unpublished`
 * (nobody decided anything yet), `panic` (no target is up), `no-quorum` (fewer observers vote than a majority of those
 * registered), `holding` (the guard holds a removal), `ok`.
 */
export type ServiceState = 'unknown' | 'unpublished' | 'panic' | 'no-quorum' | 'holding' | 'ok';

export interface ServiceView {
  readonly name: string;
  readonly state: ServiceState;
  readonly revision: number;
  readonly epoch: number;
  readonly publishedAt?: number;
  readonly size: number;
  readonly taken: number;
  readonly draining: number;
  readonly free: number;
  readonly unplaced: readonly string[];
  readonly hold?: Hold;
  /** No target is up. */
  readonly panic?: Panic;
  /** Id of the target that an active-passive service points at. */
  readonly active?: string;
  readonly activeName?: string;
  /** Since when, wall-clock milliseconds. */
  readonly activeSinceAt?: number;
  /** While a planned maintenance is on: until when, wall-clock milliseconds. Nobody is told of the service meanwhile. */
  readonly maintenanceUntilAt?: number;
  /** The last switchover that an operator asked for and the leader honoured, whether it still counts or not. */
  readonly switchover?: Switchover;
  /** Targets by verdict; absent where the service has no check. */
  readonly verdicts?: { readonly up: number; readonly down: number; readonly undecided: number };
  /** Names of targets on which the observers disagree or too many are silent; absent without any. */
  readonly inDoubt?: readonly string[];
  readonly shrinkBlockedBy: readonly number[];
  /** Where the entry point points; told by the leader alone, of a service that has one. */
  readonly switch?: SwitchView;
  readonly sources: readonly SourceView[];
  /** Targets that an earlier source of the service reports, too. */
  readonly duplicates: readonly Refusal[];
  readonly overrides: readonly OverrideRequest[];
  readonly clients: readonly Report[];
}

/** Somebody whose votes count for a service. */
export interface ObserverView {
  readonly id: string;
  readonly kind: 'server' | 'agent';
  /** False once it was silent for its time to live. */
  readonly isFresh: boolean;
  /** Leaves the electorate by itself when it falls silent; others stay until they are decommissioned. */
  readonly isTransient: boolean;
  /** An agent that the service names: it stays in the electorate, whatever becomes of it. */
  readonly isNamed?: true;
  /** Why it casts no votes. */
  readonly abstains?: string;
  /** When an agent last reported to the asked server, wall-clock milliseconds; absent where it reports elsewhere. */
  readonly lastSeenAt?: number;
  /** How far an agent's clock is ahead of that server's, milliseconds. */
  readonly clockOffsetMs?: number;
}

/** One target of a service with everything that is known of it. */
export interface TargetView {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port?: number;
  readonly group: string;
  readonly slot: number;
  readonly state: 'taken' | 'draining';
  /** The weight that new traffic really goes by. */
  readonly servingWeight: number;
  readonly override?: Override;
  readonly health?: SlotHealth;
  readonly out?: OutReason;
  /** Every observer's current vote; one that is missing has none. */
  readonly votes: readonly (Vote & { readonly observer: string })[];
  /** What this very process saw last, and counted since its first probe. */
  readonly statistics?: TargetStatistics;
}

export interface ServiceDetail extends ServiceView {
  /** Kind of the check; absent where the service has none. */
  readonly check?: string;
  readonly policy: string;
  readonly selection: string;
  readonly whenAllDown: string;
  /** Where the ramp of a target's weight ends. */
  readonly fullWeight: number;
  /** Names under which DNS has it; absent where the configuration answers no DNS. */
  readonly domains?: readonly string[];
  /** What is remembered of the primaries of a group that has one writer. */
  readonly primary?: PrimaryHistory;
  readonly observers: readonly ObserverView[];
  readonly targets: readonly TargetView[];
}

/** A server that questions are forwarded to, as its answers of the last minute show it. */
export interface DnsUpstreamView {
  readonly server: string;
  readonly answers: number;
  /** Questions that it left without an answer, or answered with one that is not believed. */
  readonly failures: number;
  /** Whether it answered anything when it was last asked. */
  readonly isUp: boolean;
}

/** How a process answers DNS. */
export interface DnsView {
  /** `udp 127.0.0.1:8053` and so on; empty while nobody listens. */
  readonly addresses: readonly string[];
  /** Many packets with one system call, or one by one; absent while nobody listens. */
  readonly transport?: 'batch' | 'dgram';
  /** Why it is not `batch`, where that was tried. */
  readonly reason?: string;
  /** Names that can be asked for. */
  readonly names: number;
  /** Over the last ten seconds. */
  readonly queriesPerSecond: number;
  /** The store as seen from here: names are answered from the last list while it is away. */
  readonly store: StoreView;
  readonly services: readonly {
    readonly name: string;
    /** Names under which it is asked for. */
    readonly domains: readonly string[];
    /** Of the list that is answered from; 0 while there is none. */
    readonly revision: number;
    /** Since when the store has not confirmed that list, wall-clock milliseconds. */
    readonly silentSinceAt?: number;
  }[];
  readonly upstreams: readonly DnsUpstreamView[];
}

export interface StatusView {
  readonly node: string;
  readonly version: string;
  readonly roles: readonly string[];
  /** Wall-clock milliseconds of this process. */
  readonly at: number;
  readonly store: StoreView;
  readonly lease?: LeaseView;
  readonly problems: readonly Problem[];
  /** Everybody who votes; empty where no service has a check. */
  readonly observers: readonly ObserverView[];
  readonly services: readonly ServiceView[];
  /** Absent where the process answers no DNS. */
  readonly dns?: DnsView;
}

/** All that the API knows of the process around it: questions, and a few commands, each with a deadline of its own. It never gets the parts. */
export interface View {
  /** Of every service that can be asked for by name. */
  serviceNames(): readonly string[];
  status(): Promise<StatusView>;
  cluster(): Promise<ClusterView>;
  nodes(): Promise<readonly NodeView[]>;
  services(): Promise<readonly ServiceView[]>;
  /** `undefined`: no such service. */
  slots(service: string): Promise<readonly Slot[] | undefined>;
  /** One service in full; `undefined`: no such service. */
  service(name: string): Promise<ServiceDetail | undefined>;
  /** `undefined`: no such service. */
  candidates(service: string): Promise<CandidatesView | undefined>;
  /** What happened, the newest first. */
  events(options: { readonly service?: string; readonly limit: number }): Promise<readonly ClusterEvent[]>;
  /** Who changed what, the newest first. */
  audit(limit: number): Promise<readonly AuditEntry[]>;
  problems(): readonly Problem[];
  /** How everything does now, from memory alone. */
  pulse(): Pulse;
  /** Strikes an observer off the electorate. Rejects with `rejected` while it is alive, or when nobody is called so. */
  decommission(observer: string, caller: Caller): Promise<void>;
  /** Rejects with `rejected` when the service or the hold is not there. */
  releaseHold(service: string, token: string, caller: Caller): Promise<void>;
  /** Forgets which primaries the service had. Rejects with `rejected` when the service is not there, or remembers none. */
  forgetPrimary(service: string, caller: Caller): Promise<void>;
  /** `undefined` ends the override. Rejects with `rejected` for a target that the list does not have. */
  override(service: string, target: string, state: Override | undefined, caller: Caller): Promise<void>;
  /**
   * Wants a target, by id or name, to be the active one until that is purged. Rejects with `rejected` where the service
   * points at no single target, and for a target that is not there, down or taken out.
   */
  switchover(service: string, target: string, caller: Caller): Promise<AskedSwitchover>;
  /**
   * Puts a service as a whole under maintenance for so many minutes, or (with `undefined`) ends one that was begun so; resolves
   * with its end, wall-clock milliseconds. Nobody is told of the service meanwhile, and its targets serve on. Rejects with
   * `rejected` when the service is not there.
   */
  maintain(service: string, minutes: number | undefined, caller: Caller): Promise<number | undefined>;
  /** Ends the switchovers of these services that still count; resolves with the names of those that had one. */
  purge(services: readonly string[], caller: Caller): Promise<readonly string[]>;
}
