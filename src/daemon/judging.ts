import { type ServingRules, type ServingVerdict, serve } from '../assign/serving.ts';
import type { ServiceConfig } from '../config/schema.ts';
import { onePrimary } from '../judge/role.ts';
import { type Earlier, type TargetVerdict, tallyService } from '../judge/verdict.ts';
import type { Observer } from '../model/ballot.ts';
import type { Slot, SlotHealth, TakenSlot } from '../model/slot.ts';
import type { Desired, PrimaryHistory, Snapshot } from '../model/snapshot.ts';

/** What one round knows before it decides who serves. */
export interface JudgingInput {
  /** The list as `assign` made it. */
  readonly desired: Desired;
  readonly before: Snapshot | undefined;
  /** `undefined` until the votes were read once: then every earlier verdict stands. */
  readonly observers: readonly Observer[] | undefined;
  /** True once first votes were waited for long enough. */
  readonly isWaitOver: boolean;
  /** Wall clock, milliseconds. */
  readonly now: number;
}

export interface Judged {
  readonly desired: Desired;
  /** Some target was never decided on. */
  readonly isOpen: boolean;
}

/** Stages 3 and 4 of one service in one step: votes become verdicts, and verdicts decide who serves. Pure. */
export type Judging = (input: JudgingInput) => Judged;

/** Kinds of check whose targets have roles, of which the wrong one does harm. */
const withRoles: readonly string[] = ['postgres', 'redis-sentinel'];

/** What the configuration of a service says about serving, in the units of the core. */
export function servingRulesOf(service: ServiceConfig): ServingRules {
  const { check, whenAllDown, select, weight } = service;
  const { min, max, increase, intervalSeconds, first, rampAfterDown } = weight;
  const collapseSeconds =
    check === undefined ? 0 : check.intervalSeconds * check.fall + check.timeoutSeconds * (check.retries + 1);
  return {
    whenAllDown:
      typeof whenAllDown === 'string' ? { kind: whenAllDown } : { kind: 'fallback', fallback: whenAllDown.fallback },
    selection: select,
    rampAfterDown,
    ramp: { min, max, increase, intervalMs: intervalSeconds * 1000, first },
    collapseMs: collapseSeconds * 1000,
    hasRoles: check !== undefined && withRoles.includes(check.kind),
  };
}

const isTaken = (slot: Slot): slot is TakenSlot => slot.state === 'taken';

/** @returns the step that every round of this service takes after `assign` */
export function createJudging(service: ServiceConfig): Judging {
  const rules = servingRulesOf(service);
  const hasCheck = service.check !== undefined;
  return ({ desired, before, observers, isWaitOver, now }) => {
    const taken = desired.slots.filter(isTaken);
    const tallied =
      hasCheck && observers !== undefined
        ? tallyService(
            observers,
            service.name,
            taken.map(({ target }) => target.id),
            service.vote,
            earlierOf(taken),
          )
        : new Map<string, TargetVerdict>();
    const { verdicts, primary } = rules.hasRoles
      ? keepOnePrimary(taken, before, tallied)
      : { verdicts: tallied, primary: undefined };
    const isOpen = hasCheck && taken.some((slot) => verdictOf(slot, verdicts) === 'undecided');
    // A list that lives by verdicts already must not wait for newcomers before it panics.
    const isJudged = (before?.slots ?? []).some((slot) => isTaken(slot) && isDecided(slot.health));
    const served = serve({
      slots: desired.slots,
      verdicts: hasCheck ? verdicts : undefined,
      previousSlots: before?.slots ?? [],
      previousPanic: before?.panic,
      previousActive: before?.active,
      isBallotsIn: isWaitOver || isJudged || !isOpen,
      rules,
      now,
    });
    const { panic: _panic, active: _active, primary: _primary, ...rest } = desired;
    return { desired: { ...rest, ...served, ...(primary === undefined ? {} : { primary }) }, isOpen };
  };
}

const isDecided = (health: SlotHealth | undefined) => health !== undefined && health.verdict !== 'undecided';

const verdictOf = ({ target, health }: TakenSlot, verdicts: ReadonlyMap<string, ServingVerdict>) =>
  verdicts.get(target.id)?.health ?? health?.verdict ?? 'undecided';

function earlierOf(taken: readonly TakenSlot[]): ReadonlyMap<string, Earlier> {
  return new Map(
    taken.flatMap(({ target, health }) =>
      health ? [[target.id, { health: health.verdict, code: health.code }] as const] : [],
    ),
  );
}

/** Of several primaries at most one stays up; the others are down, whatever the votes on them say. */
function keepOnePrimary(
  taken: readonly TakenSlot[],
  before: Snapshot | undefined,
  tallied: ReadonlyMap<string, TargetVerdict>,
): { readonly verdicts: ReadonlyMap<string, ServingVerdict>; readonly primary: PrimaryHistory | undefined } {
  const serving = new Set(
    (before?.slots ?? []).flatMap((slot) => (isTaken(slot) && slot.out === undefined ? [slot.target.id] : [])),
  );
  const { losers, history } = onePrimary(
    taken.map(({ target: { id }, override }) => ({
      id,
      isUp: tallied.get(id)?.health === 'up' && override !== 'drain' && override !== 'maint',
      role: tallied.get(id)?.role,
      timeline: tallied.get(id)?.timeline,
      isCurrent: serving.has(id),
    })),
    before?.primary ?? {},
  );
  const verdicts = new Map<string, ServingVerdict>(tallied);
  for (const id of losers.keys()) {
    verdicts.set(id, { health: 'down', code: 'second-primary', isInDoubt: false });
  }
  const isEmpty = history.lastId === undefined && history.highestTimeline === undefined;
  return { verdicts, primary: isEmpty ? undefined : history };
}
