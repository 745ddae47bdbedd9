import { showEndpoint } from '../../../model/endpoint.ts';
import { type DrainingSlot, servingWeight, type TakenSlot } from '../../../model/slot.ts';
import type { Panic, Snapshot } from '../../../model/snapshot.ts';

/** The last instant that a date can say (ECMA-262, time values); a list from a store may hold any number. */
const lastInstant = 8.64e15;

/** An instant as people and programs read it, in whole seconds: `2026-11-21T12:00:00Z`. */
export function showInstant(at: number): string {
  return new Date(Math.min(at, lastInstant)).toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * The state of a service in words, a fact each, for its TXT records. `answers`: how many targets really answer, which
 * is fewer than serve where only the nearest do.
 */
export function serviceFacts(service: string, snapshot: Snapshot | undefined, answering: number): readonly string[] {
  if (snapshot === undefined) return [`${service}: no list was ever published`];
  const taken = snapshot.slots.filter((slot) => slot.state === 'taken');
  const serving = taken.filter((slot) => servingWeight(slot) > 0).length;
  const targets = `${taken.length} target${taken.length === 1 ? '' : 's'}`;
  const { panic, hold } = snapshot;
  return [
    `${service}: ${serving} of ${targets} serve${serving === 1 ? 's' : ''}`,
    ...(answering < serving ? [`${answering} of those that serve answer here, the nearest`] : []),
    `revision ${snapshot.revision} of ${showInstant(snapshot.publishedAt)}`,
    ...outFacts(snapshot, taken),
    ...(panic === undefined
      ? []
      : [`panic: no target is up since ${showInstant(panic.sinceAt)}, and ${served(panic)}`]),
    ...(hold === undefined ? [] : [`a removal of ${hold.targets.length} targets is held back, ${hold.token}`]),
  ];
}

/** Who does not serve, and what is in doubt, as far as there is any. */
function outFacts({ slots }: Snapshot, taken: readonly TakenSlot[]): readonly string[] {
  const counts = [
    [taken.filter(({ health }) => health?.verdict === 'down').length, 'down'],
    [taken.filter(isOpen).length, 'in doubt'],
    [taken.filter(({ out }) => out === 'standby').length, 'standing by'],
    [taken.filter(isHeld).length, 'taken out by an operator'],
    [slots.filter(({ state }) => state === 'draining').length, 'draining'],
  ] as const;
  const words = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return words.length === 0 ? [] : [words.join(', ')];
}

function served({ serves, fallback = [] }: Panic): string {
  switch (serves) {
    case 'last-good':
      return 'those that served last go on';
    case 'all':
      return 'all of them serve';
    case 'first':
      return 'the first one serves';
    case 'none':
      return 'nobody serves';
    case 'fallback':
      return `${fallback.length} fallback address${fallback.length === 1 ? ' answers' : 'es answer'}`;
  }
}

/** True where an operator took a target out. */
export const isHeld = ({ override }: TakenSlot): boolean => override === 'drain' || override === 'maint';

/** True while the verdict on a target may turn at any moment. */
export const isOpen = ({ health }: TakenSlot): boolean =>
  health !== undefined && (health.isInDoubt === true || health.verdict === 'undecided');

/** One slot in words: `10.0.0.1:8080 up, weight 10`. */
export function slotWords(slot: TakenSlot | DrainingSlot): string {
  const { address, port } = slot.target;
  const place = showEndpoint(address, port);
  if (slot.state === 'draining') return `${place} draining until ${showInstant(slot.drainUntil)}`;
  return `${place} ${[...healthWords(slot), ...trafficWords(slot)].join(', ')}`;
}

function healthWords(slot: TakenSlot): readonly string[] {
  const { health } = slot;
  if (health === undefined) return ['not checked'];
  const { verdict, code, sinceAt } = health;
  const since = verdict === 'down' ? ` (${code}) since ${showInstant(sinceAt)}` : '';
  return [`${verdict}${since}`, ...(health.isInDoubt && verdict !== 'undecided' ? ['in doubt'] : [])];
}

function trafficWords(slot: TakenSlot): readonly string[] {
  const weight = servingWeight(slot);
  const byHand = { drain: ['drained by an operator'], maint: ['in maintenance'], ready: [] }[slot.override ?? 'ready'];
  const out = { new: ['new'], standby: ['standing by'], down: [] }[slot.out ?? 'down'];
  return [...byHand, ...out, weight > 0 ? `weight ${weight}` : 'no traffic'];
}
