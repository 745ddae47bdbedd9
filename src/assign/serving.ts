import { isDecided } from '../model/probe.ts';
import type { OutReason, Slot, TakenSlot } from '../model/slot.ts';
import type { Panic, Switchover } from '../model/snapshot.ts';
import { type Judged, judge, type ServingVerdict } from './judged.ts';
import type { RampRules } from './rules.ts';
import { byRank, type Candidate, type SelectionRules } from './selection.ts';
import { select } from './selections.ts';
import { type SwitchoverWish, settleSwitchover } from './switchover.ts';
import { fullWeight } from './weight.ts';

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
  /** The list, the panic, the active target and the wish for one as published last. */
  readonly previousSlots: readonly Slot[];
  readonly previousPanic: Panic | undefined;
  readonly previousActive: string | undefined;
  readonly previousActiveSinceAt?: number | undefined;
  readonly previousSwitchover?: Switchover | undefined;
  /** What an operator asked last, honoured or not. */
  readonly switchoverWish?: SwitchoverWish | undefined;
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
  readonly activeSinceAt?: number;
  readonly switchover?: Switchover;
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
  const switchover = switchoverOf(judged, input);
  const required = switchover?.ended === undefined ? switchover?.targetId : undefined;
  const chosen = choose(panic === undefined ? able : revive(judged, panic, input), panic, required, input);
  const next = new Map(judged.map((one) => [one.slot.index, settleOut(one, outOf(one, chosen), input)]));
  return {
    slots: input.slots.map((slot) => next.get(slot.index) ?? slot),
    ...(panic === undefined ? {} : { panic }),
    ...activeOf(chosen.active, input),
    ...(switchover === undefined ? {} : { switchover }),
  };
}

function activeOf(
  active: string | undefined,
  { previousActive, previousActiveSinceAt, now }: ServingInput,
): Pick<Served, 'active' | 'activeSinceAt'> {
  if (active === undefined) return {};
  const activeSinceAt = active === previousActive ? previousActiveSinceAt : now;
  return { active, ...(activeSinceAt === undefined ? {} : { activeSinceAt }) };
}

/** Only where one target alone is active there is something to wish for. */
function switchoverOf(judged: readonly Judged[], input: ServingInput): Switchover | undefined {
  if (input.rules.selection.kind !== 'active-passive') return undefined;
  const targets = judged.map(({ slot, health, isHeld }) => ({
    id: slot.target.id,
    name: slot.target.name,
    isDown: health?.verdict === 'down',
    isHeld,
  }));
  return settleSwitchover(input.previousSwitchover, input.switchoverWish, targets);
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
function choose(
  able: readonly Judged[],
  panic: Panic | undefined,
  required: string | undefined,
  { rules, previousActive, now }: ServingInput,
) {
  const { kind } = rules.selection;
  const state = {
    ...(previousActive === undefined ? {} : { active: previousActive }),
    ...(required === undefined ? {} : { required }),
  };
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
