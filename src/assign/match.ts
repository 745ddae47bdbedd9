import type { FreeSlot, Slot } from '../model/slot.ts';
import type { Target } from '../model/target.ts';

/** Who lives where, before anything is decided about leaving and arriving. */
export interface Match {
  /** Slot index to the target that keeps it (taken) or returns to it (draining, free). */
  readonly bySlot: ReadonlyMap<number, Target>;
  /** Targets without a slot so far, in the order in which they were reported: who wrote a list meant its order. */
  readonly homeless: readonly Target[];
}

/** True when both mean the same place; a side without a port matches any port (rows of HSDO's table have none). */
function sharesEndpoint(
  a: { readonly address: string; readonly port?: number },
  b: { readonly address: string; readonly port?: number },
): boolean {
  return a.address === b.address && (a.port === undefined || b.port === undefined || a.port === b.port);
}

/** A list of slots, looked up by id or by address in constant time, each handed out once and lowest index first. */
function createRegister<S extends Slot>(
  slots: readonly S[],
  who: (slot: S) => { id: string; address: string; port?: number } | undefined,
) {
  const free = new Set(slots.map((slot) => slot.index));
  const byId = new Map<string, S[]>();
  const byAddress = new Map<string, S[]>();
  const add = (map: Map<string, S[]>, key: string, slot: S) => void map.set(key, [...(map.get(key) ?? []), slot]);
  for (const slot of slots) {
    const owner = who(slot);
    if (!owner) continue;
    add(byId, owner.id, slot);
    add(byAddress, owner.address, slot);
  }
  const claim = (found: S | undefined) => (found && free.delete(found.index) ? found : undefined);
  return {
    claimById: (target: Target) => claim(byId.get(target.id)?.find((slot) => free.has(slot.index))),
    claimByEndpoint: (target: Target) =>
      claim(
        byAddress.get(target.address)?.find((slot) => {
          const owner = who(slot);
          return free.has(slot.index) && owner !== undefined && sharesEndpoint(owner, target);
        }),
      ),
  };
}

/**
 * Finds each reported target's slot: first by identity among the taken, the draining and the free slots, then by
 * address and port in the same order. So a target keeps its slot while it is known, gets its old one back while
 * that is free, and a row that HSDO wrote, whose name is not our id, is recognised by its address.
 */
export function matchTargets(slots: readonly Slot[], targets: readonly Target[], size: number): Match {
  const occupant = (slot: Slot) => (slot.state === 'free' ? undefined : slot.target);
  const taken = createRegister(
    slots.filter((slot) => slot.state === 'taken'),
    occupant,
  );
  const draining = createRegister(
    slots.filter((slot) => slot.state === 'draining'),
    occupant,
  );
  const vacant = createRegister(
    slots.filter((slot): slot is FreeSlot => slot.state === 'free' && slot.index <= size),
    (slot) => slot.last,
  );
  const bySlot = new Map<number, Target>();
  const claims = [
    taken.claimById,
    draining.claimById,
    taken.claimByEndpoint,
    draining.claimByEndpoint,
    vacant.claimById,
    vacant.claimByEndpoint,
  ];
  let homeless = targets;
  for (const claim of claims) {
    homeless = homeless.filter((target) => {
      const slot = claim(target);
      if (slot) bySlot.set(slot.index, target);
      return slot === undefined;
    });
  }
  return { bySlot, homeless };
}
