import { isDeepStrictEqual } from 'node:util';
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

export interface TakenSlot {
  readonly state: 'taken';
  readonly index: number;
  readonly target: Target;
  /** When the ramp began, wall-clock milliseconds. */
  readonly joinedAt: number;
  /** Share of traffic by the ramp, 0 to 256; never falls while the target stays. */
  readonly weight: number;
  readonly override?: Override;
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

/** True when nothing about the slot differs, in whichever order its fields were made. */
export function isSameSlot(one: Slot, other: Slot): boolean {
  return one === other || isDeepStrictEqual(one, other);
}
