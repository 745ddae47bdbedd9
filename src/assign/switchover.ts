import type { Switchover, SwitchoverEnd } from '../model/snapshot.ts';

/** What an operator asked last: that one target be the active one, or (without a target) that no such wish counts any more. */
export interface SwitchoverWish {
  readonly token: string;
  readonly targetId?: string;
  readonly by: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** What must be known of a target to keep or end a wish for it. */
export interface SwitchoverTarget {
  readonly id: string;
  readonly name: string;
  readonly isDown: boolean;
  /** An operator took it out. */
  readonly isHeld: boolean;
}

/**
 * The wish that counts in this round. Pure. It is kept until it is purged, and ends when its target goes down, leaves or
 * is taken out: then the service fails over and does not return to that target by itself because of an old wish. A
 * wish that has ended stays known by its token, so that its record in the store cannot make it count again.
 */
export function settleSwitchover(
  before: Switchover | undefined,
  wish: SwitchoverWish | undefined,
  targets: readonly SwitchoverTarget[],
): Switchover | undefined {
  const current = wish === undefined || wish.token === before?.token ? before : honour(before, wish, targets);
  if (current === undefined || current.ended !== undefined) return current;
  const ended = endOf(targets.find(({ id }) => id === current.targetId));
  return ended === undefined ? current : { ...current, ended };
}

function honour(
  before: Switchover | undefined,
  { token, targetId, by, at }: SwitchoverWish,
  targets: readonly SwitchoverTarget[],
): Switchover | undefined {
  if (targetId !== undefined) {
    return { token, targetId, targetName: targets.find(({ id }) => id === targetId)?.name ?? targetId, by, at };
  }
  if (before === undefined || before.ended !== undefined) return before && { ...before, token };
  return { ...before, token, ended: 'purged', endedBy: by };
}

function endOf(target: SwitchoverTarget | undefined): SwitchoverEnd | undefined {
  if (target === undefined) return 'gone';
  if (target.isHeld) return 'held';
  return target.isDown ? 'down' : undefined;
}
