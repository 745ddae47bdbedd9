import { isHeld, type ServingVerdict } from '../assign/judged.ts';
import { type ServingRules, serve } from '../assign/serving.ts';
import type { SwitchoverWish } from '../assign/switchover.ts';
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
  /** Token of the operator's last request to forget the primaries, honoured or not. */
  readonly forgetToken?: string | undefined;
  /** What an operator asked last about the active target, honoured or not. */
  readonly switchoverWish?: SwitchoverWish | undefined;
  /** Where the outside points now, by name, id or address of a target; counts while no active target was published. */
  readonly observedActive?: string | undefined;
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
  const isPrimaryWanted = service.check?.kind !== 'postgres' || service.check.role === 'primary';
  return ({ desired, before, observers, isWaitOver, forgetToken, switchoverWish, observedActive, now }) => {
    const taken = desired.slots.filter(isTaken);
    const tallied =
      hasCheck && observers !== undefined
        ? tallyService(
            observers,
            service.name,
            taken.map(({ target }) => target),
            service.vote,
            earlierOf(taken),
          )
        : new Map<string, TargetVerdict>();
    const { verdicts, primary } = hasPrimary(service)
      ? keepOnePrimary({ taken, before, tallied, forgetToken, isPrimaryWanted })
      : { verdicts: tallied, primary: undefined };
    const isOpen = hasCheck && taken.some((slot) => verdictOf(slot, verdicts) === 'undecided');
    // A list that lives by verdicts already must not wait for newcomers before it panics.
    const isJudged = (before?.slots ?? []).some((slot) => isTaken(slot) && hasVerdict(slot.health));
    const served = serve({
      slots: desired.slots,
      verdicts: hasCheck ? verdicts : undefined,
      previousSlots: before?.slots ?? [],
      previousPanic: before?.panic,
      previousActive: before?.active ?? targetCalled(observedActive, taken),
      previousActiveSinceAt: before?.activeSinceAt,
      previousSwitchover: before?.switchover,
      switchoverWish,
      isBallotsIn: isWaitOver || isJudged || !isOpen,
      rules,
      now,
    });
    const rest = withoutServing(desired);
    return { desired: { ...rest, ...served, ...(primary === undefined ? {} : { primary }) }, isOpen };
  };
}

/** The list without what the step before took over from the last one about who serves. */
function withoutServing(desired: Desired): Desired {
  const {
    panic: _panic,
    active: _active,
    activeSinceAt: _since,
    switchover: _wish,
    primary: _primary,
    ...rest
  } = desired;
  return rest;
}

/** Id of the target that something outside knows by its name, its id or its address. */
function targetCalled(entry: string | undefined, taken: readonly TakenSlot[]): string | undefined {
  if (entry === undefined) return undefined;
  const isIt = ({ target }: TakenSlot) => target.name === entry || target.id === entry || target.address === entry;
  return taken.find(isIt)?.target.id;
}

/** A service that wants replicas has none to keep apart. */
const hasPrimary = ({ check }: ServiceConfig) =>
  check?.kind === 'redis-sentinel' || (check?.kind === 'postgres' && check.role !== 'replica');

const hasVerdict = (health: SlotHealth | undefined) => health !== undefined && health.verdict !== 'undecided';

const verdictOf = ({ target, health }: TakenSlot, verdicts: ReadonlyMap<string, ServingVerdict>) =>
  verdicts.get(target.id)?.health ?? health?.verdict ?? 'undecided';

function earlierOf(taken: readonly TakenSlot[]): ReadonlyMap<string, Earlier> {
  return new Map(
    taken.flatMap(({ target, health }) =>
      health ? [[target.id, { health: health.verdict, code: health.code }] as const] : [],
    ),
  );
}

/**
 * Of several primaries at most one stays up; the others are down, whatever the votes on them say. A request to forget
 * counts while the list does not name it.
 */
function keepOnePrimary({
  taken,
  before,
  tallied,
  forgetToken,
  isPrimaryWanted,
}: {
  readonly taken: readonly TakenSlot[];
  readonly before: Snapshot | undefined;
  readonly tallied: ReadonlyMap<string, TargetVerdict>;
  readonly forgetToken: string | undefined;
  /** Whoever is up is a primary, even while an earlier verdict stands and no vote tells the role. */
  readonly isPrimaryWanted: boolean;
}): { readonly verdicts: ReadonlyMap<string, ServingVerdict>; readonly primary: PrimaryHistory | undefined } {
  const serving = new Set(
    (before?.slots ?? []).flatMap((slot) =>
      isTaken(slot) && slot.out === undefined && !isHeld(slot) ? [slot.target.id] : [],
    ),
  );
  const { forgotten: honoured, ...remembered } = before?.primary ?? {};
  const forgotten = forgetToken ?? honoured;
  const { kept, losers, history } = onePrimary(
    taken.map((slot) => {
      const { id } = slot.target;
      const { health, role, timeline } = tallied.get(id) ?? {};
      return {
        id,
        isUp: health === 'up' && !isHeld(slot),
        role: role ?? (isPrimaryWanted && health === 'up' ? 'primary' : undefined),
        timeline,
        isCurrent: serving.has(id),
      };
    }),
    forgotten === honoured ? remembered : afterForgetting(remembered, serving),
  );
  const verdicts = new Map<string, ServingVerdict>(tallied);
  for (const id of losers.keys()) {
    verdicts.set(id, { health: 'down', code: 'second-primary', isInDoubt: false });
  }
  // By missing votes one may still stand as up that calls itself a replica by now. Alone it does no harm, for it takes no
  // writes, but it must not stand beside anybody.
  for (const [id, { health, role }] of isPrimaryWanted ? tallied : []) {
    const isLeftOver = health === 'up' && role === 'replica' && (kept !== undefined || !serving.has(id));
    if (isLeftOver) verdicts.set(id, { health: 'down', code: 'not-primary', isInDoubt: true });
  }
  const primary = { ...history, ...(forgotten === undefined ? {} : { forgotten }) };
  return { verdicts, primary: Object.keys(primary).length === 0 ? undefined : primary };
}

/** Who serves at that moment is no past: it stays known, or it might go on beside another one while nobody tells its role. */
function afterForgetting({ lastId }: PrimaryHistory, serving: ReadonlySet<string>): PrimaryHistory {
  return lastId !== undefined && serving.has(lastId) ? { lastId } : {};
}
