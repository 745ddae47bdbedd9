import { isDecided, type ProbeCode } from '../model/probe.ts';
import type { OutReason, Slot, SlotHealth, TakenSlot } from '../model/slot.ts';
import type { Panic } from '../model/snapshot.ts';
import type { RampRules } from './rules.ts';
import { byRank, type Candidate, type SelectionRules } from './selection.ts';
import { select } from './selections.ts';
import { fullWeight } from './weight.ts';

/** What the votes make of one target. */
export interface ServingVerdict {
  readonly health: 'up' | 'down' | 'undecided';
  readonly code: ProbeCode;
  readonly isInDoubt: boolean;
  /** Milliseconds. */
  readonly connectMs?: number;
  readonly totalMs?: number;
}

export interface ServingRules {
  readonly whenAllDown: { readonly kind: Panic['serves']; readonly fallback?: readonly string[] };
  readonly selection: SelectionRules;
  /** True: a target that was down begins its ramp anew. */
  readonly rampAfterDown: boolean;
  readonly ramp: RampRules;
  /**
   * How far apart the observers may notice one and the same outage: interval x fall + time-out of the check, milliseconds.
   * Targets that went down within this time before the last one did were lost with it, not before it.
   */
  readonly collapseMs: number;
  /**
   * True where targets have roles and the wrong one does harm (one primary, one master): then a panic never brings back
   * anybody who did not serve to the last.
   */
  readonly hasRoles: boolean;
}

export interface ServingInput {
  /** The list as `assign` made it. */
  readonly slots: readonly Slot[];
  /** By the target's id; `undefined` for a service without a check. */
  readonly verdicts: ReadonlyMap<string, ServingVerdict> | undefined;
  /** The list, the panic and the active target as published last. */
  readonly previousSlots: readonly Slot[];
  readonly previousPanic: Panic | undefined;
  readonly previousActive: string | undefined;
  /**
   * False while the bounded wait for first votes is on: where nobody has served yet, no panic begins until every target is decided
   * on. The caller publishes no first list meanwhile.
   */
  readonly isBallotsIn: boolean;
  readonly rules: ServingRules;
  /** Wall clock, milliseconds. */
  readonly now: number;
}

export interface Served {
  readonly slots: readonly Slot[];
  readonly panic?: Panic;
  readonly active?: string;
}

/** A taken slot with what is known about it. */
interface Judged {
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

/**
 * Decides who gets new traffic. Pure; a slot about which nothing changes stays the same object.
 *
 * | taken slot                                                  | `out`                                         |
 * | ----------------------------------------------------------- | --------------------------------------------- |
 * | up                                                          | none, or `standby` while others are preferred |
 * | down                                                        | `down`                                        |
 * | never up since it arrived                                   | `new`, also once its verdict is down          |
 * | undecided, and served before there were votes               | none: "cannot know" is not "no"               |
 * | any of them in a panic                                      | none where `whenAllDown` serves it            |
 *
 * There is a panic when no slot that an operator left in may serve by this table. `last-good` then serves whoever served to the last,
 * and those that were lost in the same collapse; where nobody ever served, all of them, for a service must not
 * stay dark because no observer answers. What an operator took out, and what says itself that it is not the one
 * wanted (`isDecided`), is never brought back.
 */
export function serve(input: ServingInput): Served {
  const before = new Map(input.previousSlots.map((slot) => [slot.index, slot]));
  const judged = input.slots.flatMap((slot) =>
    slot.state === 'taken' ? judge(slot, before.get(slot.index), input) : [],
  );
  const able = judged.filter((one) => one.fault === undefined && !one.isHeld);
  const panic = able.length === 0 && mayPanic(judged, input) ? panicOf(input) : undefined;
  const chosen = choose(panic === undefined ? able : revive(judged, panic, input), panic, input);
  const next = new Map(judged.map((one) => [one.slot.index, settleOut(one, outOf(one, chosen), input)]));
  return {
    slots: input.slots.map((slot) => next.get(slot.index) ?? slot),
    ...(panic === undefined ? {} : { panic }),
    ...(chosen.active === undefined ? {} : { active: chosen.active }),
  };
}

function judge(slot: TakenSlot, before: Slot | undefined, { verdicts, previousPanic, now }: ServingInput): Judged {
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

const isHeld = ({ override }: TakenSlot) => override === 'drain' || override === 'maint';

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

/** Where nobody served yet, those that are not decided on may be up any moment. */
function mayPanic(judged: readonly Judged[], { verdicts, isBallotsIn, previousPanic }: ServingInput): boolean {
  if (verdicts === undefined || judged.length === 0) return false;
  const isOpen = judged.some((one) => !one.isHeld && one.health?.verdict === 'undecided');
  return isBallotsIn || previousPanic !== undefined || !isOpen || judged.some((one) => one.hasServed);
}

function panicOf({ rules: { whenAllDown, hasRoles }, previousPanic, now }: ServingInput): Panic {
  const { kind, fallback } = whenAllDown;
  const serves = hasRoles && (kind === 'all' || kind === 'first') ? 'last-good' : kind;
  return {
    sinceAt: previousPanic?.sinceAt ?? now,
    serves,
    ...(serves === 'fallback' && fallback !== undefined ? { fallback } : {}),
  };
}

/** Who serves in a panic. */
function revive(judged: readonly Judged[], panic: Panic, { rules }: ServingInput): readonly Judged[] {
  const allowed = judged.filter(({ isHeld, health }) => !isHeld && !isDecided(health?.code ?? 'ok'));
  const isLostWithTheLast = ({ fault, health }: Judged) =>
    fault === 'down' && health !== undefined && health.sinceAt >= panic.sinceAt - rules.collapseMs;
  switch (panic.serves) {
    case 'none':
    case 'fallback':
      return [];
    case 'all':
      return allowed;
    case 'first': {
      const [first] = byRank(allowed.map(candidateOf));
      return allowed.filter((one) => one.slot.target.id === first?.id);
    }
    case 'last-good': {
      const served = allowed.filter((one) => one.hasServed);
      if (rules.hasRoles) return served;
      const good = allowed.filter((one) => one.hasServed || isLostWithTheLast(one));
      return good.length > 0 ? good : allowed;
    }
  }
}

/** Which of those that may serve do, and the active one where the service has one. A panic that serves `all` means all. */
function choose(able: readonly Judged[], panic: Panic | undefined, { rules, previousActive, now }: ServingInput) {
  const { kind } = rules.selection;
  const state = previousActive === undefined ? {} : { active: previousActive };
  const isPart = kind === 'active-passive' || kind === 'priority';
  const { picked } = select(rules.selection, isPart ? able.map(candidateOf) : [], state, now);
  const isAll = !isPart || panic?.serves === 'all';
  return {
    ids: new Set(isAll ? able.map((one) => one.slot.target.id) : picked.map((one) => one.id)),
    active: kind === 'active-passive' ? picked[0]?.id : undefined,
    isPart,
  };
}

function candidateOf({ slot, verdict, health }: Judged): Candidate {
  const { target, weight, joinedAt } = slot;
  return {
    id: target.id,
    weight,
    ...(target.priority === undefined ? {} : { priority: target.priority }),
    ...(verdict?.connectMs === undefined ? {} : { connectMs: verdict.connectMs }),
    ...(verdict?.totalMs === undefined ? {} : { totalMs: verdict.totalMs }),
    upSinceAt: health?.sinceAt ?? joinedAt,
  };
}

function outOf({ slot, fault }: Judged, { ids, isPart }: ReturnType<typeof choose>): OutReason | undefined {
  if (ids.has(slot.target.id)) return undefined;
  return fault ?? (isPart ? 'standby' : undefined);
}

/** The slot with its health and its `out`. The ramp of a newcomer begins when it leaves `new`, that of one that comes back where the rules say so. */
function settleOut(one: Judged, out: OutReason | undefined, { rules, now }: ServingInput): TakenSlot {
  const { health: _health, out: was, ...slot } = one.slot;
  const isRampNew = was === 'new' && out !== 'new';
  const isRampAgain = rules.rampAfterDown && was === 'down' && one.health?.verdict === 'up';
  if (!isRampNew && !isRampAgain && was === out && one.slot.health === one.health) return one.slot;
  return {
    ...slot,
    ...(isRampNew || isRampAgain ? { joinedAt: now } : {}),
    ...(isRampAgain ? { weight: Math.min(rules.ramp.min, fullWeight(slot.target, rules.ramp)) } : {}),
    ...(one.health === undefined ? {} : { health: one.health }),
    ...(out === undefined ? {} : { out }),
  };
}
