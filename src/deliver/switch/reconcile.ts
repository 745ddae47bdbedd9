import type { Snapshot } from '../../model/snapshot.ts';
import type { EntryPoint } from './switcher.ts';

/** What a service's entry point is to be. */
export interface Wish {
  readonly entry: EntryPoint;
  /** An operator asked for this target; no delay holds that up. */
  readonly isByHand: boolean;
}

/** What a leader knows of one service's switching, for one term. All instants are monotonic milliseconds. */
export interface Pursuit {
  /** What the outside said last; absent before the first reading and after every attempt to switch. */
  readonly sight?: { readonly current: string | undefined; readonly atMs: number };
  /** Nothing is asked before, since the last attempt failed. */
  readonly notBeforeMs?: number;
  /** The last attempt that worked. */
  readonly switched?: { readonly entry: EntryPoint; readonly atMs: number };
}

export interface SwitchRules {
  /** How old a sight may be while all agrees. */
  readonly reconcileMs: number;
  /** How old a sight may be on which a switch is based. */
  readonly freshMs: number;
  /** From one switch to the next automatic one to another target. */
  readonly delayMs: number;
}

export type Step =
  | { readonly kind: 'read' }
  | { readonly kind: 'switch'; readonly to: EntryPoint }
  | { readonly kind: 'wait'; readonly untilMs: number; readonly isHeldUp: boolean };

/** True when what the outside says is this entry point, by its name or by its address. */
export const pointsAt = (current: string | undefined, { name, address }: EntryPoint): boolean =>
  current !== undefined && (current === name || current === address);

const isSameEntry = (one: EntryPoint, other: EntryPoint): boolean =>
  one.name === other.name && one.address === other.address && one.port === other.port;

/**
 * True when the outside points where it should, as far as this leader knows: where it says a name and no address, a target
 * that has moved since it was switched to is not yet where that name leads.
 */
export function agrees({ sight, switched }: Pursuit, entry: EntryPoint): boolean {
  if (!pointsAt(sight?.current, entry)) return false;
  const hasMoved = switched?.entry.name === entry.name && !isSameEntry(switched.entry, entry);
  return !hasMoved || sight?.current === entry.address;
}

/** True when both ask for the same. */
export const isSameWish = (one: Wish | undefined, other: Wish | undefined): boolean =>
  one === undefined || other === undefined
    ? one === other
    : one.isByHand === other.isByHand && isSameEntry(one.entry, other.entry);

/**
 * What a list wants the outside to point at: its active target. Nothing where there is none, or where the panic serves
 * nobody or addresses that are no targets: then the outside stays as it is.
 */
export function wishOf({ slots, active, panic, switchover }: Snapshot): Wish | undefined {
  if (active === undefined || panic?.serves === 'none' || panic?.serves === 'fallback') return undefined;
  const target = slots.flatMap((slot) => (slot.state === 'free' ? [] : [slot.target])).find(({ id }) => id === active);
  if (target === undefined) return undefined;
  const { name, address, port } = target;
  const isByHand = switchover !== undefined && switchover.ended === undefined && switchover.targetId === active;
  return { entry: { name, address, ...(port === undefined ? {} : { port }) }, isByHand };
}

/**
 * What to do next about one service. It reads before it switches and never switches on an old sight, since others may
 * have switched meanwhile; every attempt is followed by a reading; a delay holds up a switch to another target, and never
 * the repair of what was switched to before.
 */
export function decide(pursuit: Pursuit, wish: Wish | undefined, rules: SwitchRules, nowMs: number): Step {
  const { sight, switched, notBeforeMs = nowMs } = pursuit;
  if (nowMs < notBeforeMs) return { kind: 'wait', untilMs: notBeforeMs, isHeldUp: false };
  if (sight === undefined) return { kind: 'read' };
  const staleAtMs = sight.atMs + rules.reconcileMs;
  if (nowMs >= staleAtMs) return { kind: 'read' };
  if (wish === undefined || agrees(pursuit, wish.entry)) {
    return { kind: 'wait', untilMs: staleAtMs, isHeldUp: false };
  }
  const isRepair = switched === undefined || switched.entry.name === wish.entry.name;
  const dueAtMs = isRepair || wish.isByHand ? nowMs : switched.atMs + rules.delayMs;
  if (nowMs < dueAtMs) return { kind: 'wait', untilMs: Math.min(dueAtMs, staleAtMs), isHeldUp: true };
  return nowMs - sight.atMs > rules.freshMs ? { kind: 'read' } : { kind: 'switch', to: wish.entry };
}
