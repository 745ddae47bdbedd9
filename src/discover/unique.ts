import { endpointOf } from '../model/slot.ts';
import type { Refusal, Target } from '../model/target.ts';
import { called, printable } from './show.ts';

/**
 * Keeps the first target of each id and of each address and port; the others are refused by name. Two slots with one
 * id could not be told apart, and two with one endpoint would send it twice its share.
 */
export function firstOfEach(targets: readonly Target[]): {
  readonly targets: readonly Target[];
  readonly refusals: readonly Refusal[];
} {
  const [byId, byEndpoint] = [new Map<string, Target>(), new Map<string, Target>()];
  const refusals: Refusal[] = [];
  for (const target of targets) {
    const endpoint = endpointOf(target);
    const [sameId, sameEndpoint] = [byId.get(target.id), byEndpoint.get(endpoint)];
    if (sameId || sameEndpoint) {
      refusals.push({ name: nameOf(target), reason: duplicateReason(target, sameId, sameEndpoint) });
    } else {
      byId.set(target.id, target);
      byEndpoint.set(endpoint, target);
    }
  }
  return { targets: [...byId.values()], refusals };
}

function duplicateReason(target: Target, sameId: Target | undefined, sameEndpoint: Target | undefined): string {
  const holder = nameOf(sameId ?? sameEndpoint ?? target);
  if (sameId)
    return `id "${printable(target.id)}" belongs to "${holder}" of group "${printable(sameId.group)}" already`;
  const port = target.port === undefined ? '' : ` with port ${target.port}`;
  return `address ${target.address}${port} belongs to "${holder}" already`;
}

function nameOf({ name, id }: Target): string {
  return called(name, id) ?? '';
}
