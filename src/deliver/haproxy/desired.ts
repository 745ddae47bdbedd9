import type { DrainingSlot, Slot, TakenSlot } from '../../model/slot.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Target } from '../../model/target.ts';
import type { AdminState } from './observe.ts';

/** A server without a target: in maintenance, whatever its address. */
export interface WantedFree {
  readonly index: number;
  readonly admin: 'maint';
}

/** A server with a target. */
export interface WantedTarget {
  readonly index: number;
  readonly admin: AdminState;
  readonly targetId: string;
  readonly targetName: string;
  readonly address: string;
  readonly port: number;
  /** 0 to 256; absent where weights are left to HAProxy's own configuration and operators. */
  readonly weight?: number;
  /** An operator asked hsdo for `ready`: ends what somebody set in HAProxy by hand, and no verdict. */
  readonly isForced: boolean;
}

export type Wanted = WantedFree | WantedTarget;

/** The part of a backend's configuration that decides what stands in its slots. */
export interface BackendRule {
  /** One port for all; else the target's own, else `defaultPort`. */
  readonly port?: number | undefined;
  readonly defaultPort: number;
  readonly accepts: 'all' | 'primary' | 'fallback';
}

/** What holds for all backends of a service. */
export interface ServiceRule {
  /** Groups whose targets belong in primary backends. */
  readonly primaryGroups: readonly string[];
  readonly manageWeights: boolean;
}

export function hasTarget(wanted: Wanted): wanted is WantedTarget {
  return 'targetId' in wanted;
}

/** The AZ limiter: primary backends take the targets of the primary groups, fallback backends all others. */
function isAccepted(target: Target, rule: BackendRule, primaryGroups: readonly string[]): boolean {
  return rule.accepts === 'all' || (rule.accepts === 'primary') === primaryGroups.includes(target.group);
}

/** A verdict takes a target out of new traffic only: its requests end by themselves, and HAProxy's own checks go on. */
function adminOf(slot: TakenSlot | DrainingSlot): AdminState {
  if (slot.state === 'draining') return 'drain';
  if (slot.override === 'maint' || slot.override === 'drain') return slot.override;
  return slot.out === undefined ? 'ready' : 'drain';
}

function wantedOf(slot: Slot, rule: BackendRule, { primaryGroups, manageWeights }: ServiceRule): Wanted {
  const { index } = slot;
  if (slot.state === 'free' || !isAccepted(slot.target, rule, primaryGroups)) return { index, admin: 'maint' };
  const { target, weight } = slot;
  return {
    index,
    admin: adminOf(slot),
    targetId: target.id,
    targetName: target.name,
    address: target.address,
    port: rule.port ?? target.port ?? rule.defaultPort,
    ...(manageWeights ? { weight } : {}),
    isForced: slot.state === 'taken' && slot.override === 'ready',
  };
}

/** What one backend should look like by the snapshot: one entry for each slot of the list, by index. */
export function desiredServers(
  snapshot: Pick<Snapshot, 'slots'>,
  rule: BackendRule,
  service: ServiceRule,
): ReadonlyMap<number, Wanted> {
  return new Map(snapshot.slots.map((slot) => [slot.index, wantedOf(slot, rule, service)]));
}
