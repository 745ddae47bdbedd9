import type { ServiceConfig } from '../../config/schema.ts';
import type { RegisteredObserver } from '../../publish/ballot-reader.ts';

/**
 * Who votes on a service, of all observers that are registered: with `agents.only` no server, though its record may still
 * name the service from before; with `agents.ids` of the agents those alone, each of them, heard of or not. Pure.
 */
export function electorateOf(
  { name, agents }: Pick<ServiceConfig, 'name' | 'agents'>,
  observers: readonly RegisteredObserver[],
): readonly RegisteredObserver[] {
  const registered = observers.filter(({ services }) => services.includes(name));
  if (agents === undefined) return registered;
  const { only, ids } = agents;
  const voters = registered.filter(({ id, kind }) => (kind === 'agent' ? ids?.includes(id) !== false : !only));
  const heard = new Set(voters.map(({ id }) => id));
  const unheard = (ids ?? []).filter((id) => !heard.has(id));
  return [...voters, ...unheard.map((id) => absentee(id, name))];
}

/**
 * The same for a verdict: where nobody but agents votes, and none of them is left, one stands for all and is silent. Else
 * nobody would be missing, and `missing: down` could not say what silence means. `undefined` until the votes were read.
 */
export function votersOf(
  service: Pick<ServiceConfig, 'name' | 'agents'>,
  observers: readonly RegisteredObserver[] | undefined,
): readonly RegisteredObserver[] | undefined {
  if (observers === undefined) return undefined;
  const electorate = electorateOf(service, observers);
  const isDeserted = service.agents?.only === true && electorate.length === 0;
  return isDeserted ? [absentee('any agent', service.name)] : electorate;
}

/** Somebody who is expected and has said nothing. */
function absentee(id: string, service: string): RegisteredObserver {
  const ballot = { observer: id, services: new Map() };
  return { id, kind: 'agent', isFresh: false, isTransient: false, services: [service], ballot };
}
