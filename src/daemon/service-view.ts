import type { ServiceState, ServiceView } from '../api/view.ts';
import type { Slot } from '../model/slot.ts';
import type { Snapshot } from '../model/snapshot.ts';

/**
 * The part of a service's view that its snapshot alone tells.
 *
 * @param hasQuorum - False where too few of its observers vote; who knows of no observers leaves it out.
 */
export function serviceView(name: string, snapshot: Snapshot | undefined, hasQuorum = true): ServiceView {
  const slots = snapshot?.slots ?? [];
  const count = (state: string) => slots.filter((slot) => slot.state === state).length;
  return {
    name,
    state: stateOf(snapshot, hasQuorum),
    revision: snapshot?.revision ?? 0,
    epoch: snapshot?.epoch ?? 0,
    ...(snapshot ? { publishedAt: snapshot.publishedAt } : {}),
    size: slots.length,
    taken: count('taken'),
    draining: count('draining'),
    free: count('free'),
    unplaced: snapshot?.unplaced ?? [],
    ...(snapshot?.hold ? { hold: snapshot.hold } : {}),
    ...(snapshot?.panic ? { panic: snapshot.panic } : {}),
    ...activeOf(snapshot),
    ...(snapshot?.activeSinceAt === undefined ? {} : { activeSinceAt: snapshot.activeSinceAt }),
    ...(snapshot?.maintenanceUntilAt === undefined ? {} : { maintenanceUntilAt: snapshot.maintenanceUntilAt }),
    ...(snapshot?.switchover ? { switchover: snapshot.switchover } : {}),
    ...verdictsOf(slots),
    ...doubtsOf(slots),
    shrinkBlockedBy: [],
    sources: [],
    duplicates: [],
    overrides: [],
    clients: [],
  };
}

function stateOf(snapshot: Snapshot | undefined, hasQuorum: boolean): ServiceState {
  if (snapshot === undefined) return 'unpublished';
  if (snapshot.panic) return 'panic';
  if (!hasQuorum) return 'no-quorum';
  return snapshot.hold ? 'holding' : 'ok';
}

/** The target that a list points at, by id and, where it still holds a slot, by name. */
export function activeOf(snapshot: Snapshot | undefined): Pick<ServiceView, 'active' | 'activeName'> {
  const { active, slots = [] } = snapshot ?? {};
  if (active === undefined) return {};
  const slot = slots.find((one) => one.state !== 'free' && one.target.id === active);
  return { active, ...(slot === undefined || slot.state === 'free' ? {} : { activeName: slot.target.name }) };
}

function verdictsOf(slots: readonly Slot[]): Pick<ServiceView, 'verdicts'> {
  const judged = slots.flatMap((slot) => (slot.state === 'taken' && slot.health ? [slot.health.verdict] : []));
  if (judged.length === 0) return {};
  const count = (verdict: string) => judged.filter((one) => one === verdict).length;
  return { verdicts: { up: count('up'), down: count('down'), undecided: count('undecided') } };
}

function doubtsOf(slots: readonly Slot[]): Pick<ServiceView, 'inDoubt'> {
  const inDoubt = slots.flatMap((slot) => (slot.state === 'taken' && slot.health?.isInDoubt ? [slot.target.name] : []));
  return inDoubt.length === 0 ? {} : { inDoubt };
}
