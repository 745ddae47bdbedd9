import type { CandidatesView } from '../api/cluster-view.ts';
import type { ServiceConfig } from '../config/schema.ts';
import { HsdoError } from '../model/error.ts';
import type { TakenSlot } from '../model/slot.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import { activeOf } from './service-view.ts';

/** Why a target cannot be made the active one; `undefined` when it can. */
function hindrance({ override, health }: TakenSlot): string | undefined {
  if (override === 'drain' || override === 'maint') return `an operator has it in ${override}`;
  if (health === undefined || health.verdict === 'up') return undefined;
  return health.verdict === 'down' ? `it is down (${health.code})` : 'it was not found up yet';
}

const takenOf = (snapshot: Snapshot | undefined) =>
  (snapshot?.slots ?? []).filter((slot): slot is TakenSlot => slot.state === 'taken');

const isOfOne = ({ select }: Pick<ServiceConfig, 'select'>) => select.kind === 'active-passive';

/** The targets that an operator may make the active one, those of the highest priority first; none where all serve. */
export function candidatesOf(
  service: Pick<ServiceConfig, 'name' | 'select'>,
  snapshot: Snapshot | undefined,
): CandidatesView {
  const active = snapshot?.active;
  const able = takenOf(snapshot).filter((slot) => slot.target.id !== active && hindrance(slot) === undefined);
  const candidates = able.map(({ target: { id, name, address, port, priority = 0 }, health, joinedAt }) => ({
    id,
    name,
    address,
    ...(port === undefined ? {} : { port }),
    priority,
    sinceAt: health?.sinceAt ?? joinedAt,
  }));
  return {
    service: service.name,
    ...activeOf(snapshot),
    candidates: isOfOne(service) ? candidates.toSorted((one, other) => other.priority - one.priority) : [],
  };
}

/**
 * The target that an operator means by its id or its name.
 *
 * @throws HsdoError `rejected` where it cannot be made the active one, and why
 */
export function switchoverTarget(
  service: Pick<ServiceConfig, 'name' | 'select'>,
  snapshot: Snapshot,
  target: string,
): Target {
  const refuse = (why: string) =>
    new HsdoError('rejected', `Cannot switch "${service.name}" over to "${target}": ${why}`);
  if (!isOfOne(service)) {
    throw refuse(`it points at no single target (expected select active-passive, not ${service.select.kind})`);
  }
  const taken = takenOf(snapshot);
  const matches = taken.filter((slot) => slot.target.id === target || slot.target.name === target);
  const slot = matches.find((one) => one.target.id === target) ?? matches[0];
  const names = taken.map((one) => one.target.name).join(', ');
  if (slot === undefined) throw refuse(`its list has no such target, but ${names || 'none at all'}`);
  if (matches.length > 1 && slot.target.id !== target) {
    throw refuse(`${matches.map((one) => one.target.id).join(', ')} have that name`);
  }
  const why = hindrance(slot);
  if (why !== undefined) throw refuse(why);
  return slot.target;
}
