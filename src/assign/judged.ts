import type { ProbeCode } from '../model/probe.ts';
import type { Slot, SlotHealth, TakenSlot } from '../model/slot.ts';
import type { Panic } from '../model/snapshot.ts';

/** What the votes make of one target. */
export interface ServingVerdict {
  readonly health: 'up' | 'down' | 'undecided';
  readonly code: ProbeCode;
  readonly isInDoubt: boolean;
  /** Milliseconds. */
  readonly connectMs?: number;
  readonly totalMs?: number;
}

/** A taken slot with what is known about it. */
export interface Judged {
  readonly slot: TakenSlot;
  readonly verdict: ServingVerdict | undefined;
  readonly health: SlotHealth | undefined;
  /** Why it would be out by its verdict alone. */
  readonly fault: 'down' | 'new' | undefined;
  /** An operator took it out. */
  readonly isHeld: boolean;
  /** It got traffic by the list before. */
  readonly hasServed: boolean;
}

/** What a target is judged by. */
export interface JudgedBy {
  /** By the target's id; `undefined` for a service without a check. */
  readonly verdicts: ReadonlyMap<string, ServingVerdict> | undefined;
  /** As published last. */
  readonly previousPanic: Panic | undefined;
  /** Wall clock, milliseconds. */
  readonly now: number;
}

/** @param before - The slot of this index in the list before. */
export function judge(slot: TakenSlot, before: Slot | undefined, { verdicts, previousPanic, now }: JudgedBy): Judged {
  const earlier = before?.state === 'taken' && isSameLodger(before, slot) ? before : undefined;
  const verdict = verdicts?.get(slot.target.id);
  const health = verdicts === undefined ? undefined : healthOf(slot.health, verdict, now);
  // In a panic a target may serve that was never up; it stays a newcomer all the same.
  const wasRevived = previousPanic !== undefined && earlier?.health?.verdict === 'undecided';
  const isNewcomer = earlier === undefined || earlier.out === 'new' || wasRevived;
  const isWell = health === undefined || health.verdict === 'up';
  const isDown = health?.verdict === 'down';
  return {
    slot,
    verdict,
    health,
    fault: isWell ? undefined : isNewcomer ? 'new' : isDown ? 'down' : undefined,
    isHeld: isHeld(slot),
    hasServed: earlier !== undefined && earlier.out === undefined && !isHeld(earlier),
  };
}

/** An operator took it out. */
export const isHeld = ({ override }: TakenSlot) => override === 'drain' || override === 'maint';

/** The same target as before; a row that HSDO wrote gets its id with the first round of ours. */
const isSameLodger = (one: TakenSlot, other: TakenSlot) =>
  one.target.id === other.target.id || one.target.name === other.target.name;

/** The health to publish. Votes that decide nothing leave an earlier verdict as it is, and so does a missing one. */
function healthOf(before: SlotHealth | undefined, verdict: ServingVerdict | undefined, now: number): SlotHealth {
  if (verdict === undefined && before !== undefined) return before;
  const said = { verdict: verdict?.health ?? 'undecided', code: verdict?.code ?? 'ok' } as const;
  const { verdict: health, code } = said.verdict === 'undecided' && before !== undefined ? before : said;
  const sinceAt = before?.verdict === health ? before.sinceAt : now;
  const isInDoubt = verdict?.isInDoubt ?? true;
  const isSame = before?.verdict === health && before.code === code && (before.isInDoubt ?? false) === isInDoubt;
  return isSame ? before : { verdict: health, code, sinceAt, ...(isInDoubt ? { isInDoubt } : {}) };
}
