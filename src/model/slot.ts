import { isDeepStrictEqual } from 'node:util';
import type { ProbeCode } from './probe.ts';
import type { Target } from './target.ts';

/** State that an operator asked for; it stands beside what hsdo would decide by itself. `ready` also ends a manual maint or drain found in HAProxy. */
export type Override = 'ready' | 'drain' | 'maint';

export const overrides: readonly Override[] = ['ready', 'drain', 'maint'];

/** The target that last lived in a free slot, so that it gets its own slot back when it returns. */
export interface Tenant {
  readonly id: string;
  readonly address: string;
  readonly port?: number;
  /** Wall-clock milliseconds. */
  readonly leftAt: number;
}

export interface FreeSlot {
  readonly state: 'free';
  /** 1 to the size of the list, the number in HAProxy's server-template. */
  readonly index: number;
  readonly last?: Tenant;
}

/** What the observers of a service with a check think of a slot's target. */
export interface SlotHealth {
  readonly verdict: 'up' | 'down' | 'undecided';
  /** Why it is not up; `ok` otherwise. */
  readonly code: ProbeCode;
  /** When this verdict was first published, wall-clock milliseconds. */
  readonly sinceAt: number;
  /** Observers contradict each other, or too many are silent; answers with a TTL shorten it meanwhile. */
  readonly isInDoubt?: true;
}

/**
 * Why a target gets no new traffic although it is known: its verdict is down; it is new and was never seen up; or it
 * stands by while another one is active.
 */
export type OutReason = 'down' | 'new' | 'standby';

export const outReasons: readonly OutReason[] = ['down', 'new', 'standby'];

export interface TakenSlot {
  readonly state: 'taken';
  readonly index: number;
  readonly target: Target;
  /** When the ramp began, wall-clock milliseconds. */
  readonly joinedAt: number;
  /** Share of traffic by the ramp, 0 to 256; never falls while the target stays. */
  readonly weight: number;
  readonly override?: Override;
  /** Absent where the service has no check. */
  readonly health?: SlotHealth;
  /** Absent while it serves; in a panic also for targets that are down. */
  readonly out?: OutReason;
}

export interface DrainingSlot {
  readonly state: 'draining';
  readonly index: number;
  readonly target: Target;
  readonly joinedAt: number;
  /** The weight that it had; what it gets back should it return while it drains. */
  readonly weight: number;
  /** When the slot becomes free, wall-clock milliseconds. */
  readonly drainUntil: number;
}

export type Slot = FreeSlot | TakenSlot | DrainingSlot;

/** Address and port as one comparable text; two targets of one service may not share it. */
export function endpointOf(target: { readonly address: string; readonly port?: number }): string {
  return target.port === undefined ? target.address : `${target.address}|${target.port}`;
}

/** The share of new traffic that a slot really gets: none while it drains, is free or is taken out, by whomever. */
export function servingWeight(slot: Slot): number {
  if (slot.state !== 'taken' || slot.out !== undefined) return 0;
  return slot.override === 'drain' || slot.override === 'maint' ? 0 : slot.weight;
}

/** True when nothing about the slot differs, in whichever order its fields were made. */
export function isSameSlot(one: Slot, other: Slot): boolean {
  return one === other || isDeepStrictEqual(one, other);
}
