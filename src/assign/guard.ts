import type { TakenSlot } from '../model/slot.ts';
import type { Hold } from '../model/snapshot.ts';
import type { GuardRules } from './rules.ts';

/** For each slot whose target the sources no longer report: whose it was, and in how many complete reads in a row it was absent. */
export type Absences = ReadonlyMap<number, { readonly id: string; readonly reads: number }>;

/** What the guard looks at in one step. */
export interface Step {
  /** Taken slots whose target no source reports. */
  readonly absent: readonly TakenSlot[];
  /** Taken slots whose target is still reported. */
  readonly staying: readonly TakenSlot[];
  /** Slots that drain already. */
  readonly draining: number;
  /** Targets that arrived while those were draining, those of this step included: a replacement is no loss. */
  readonly arrived: number;
  /** Reported targets, placed or not. */
  readonly reported: number;
}

/** Counts one more complete read for every absent slot; slots that are not absent, or changed hands, start anew. */
export function countAbsences(before: Absences, absent: readonly TakenSlot[], isNewRead: boolean): Absences {
  return new Map(
    absent.map(({ index, target }) => {
      const known = before.get(index);
      const reads = known?.id === target.id ? known.reads + (isNewRead ? 1 : 0) : 1;
      return [index, { id: target.id, reads }];
    }),
  );
}

/** True when the step removes more than the rules let go unconfirmed, or would leave the service with nothing. */
export function isTooLarge(step: Step, rules: GuardRules): boolean {
  if (step.absent.length === 0) return false;
  if (step.reported === 0) return true;
  const occupied = step.absent.length + step.staying.length + step.draining;
  const limit = Math.max(1, Math.floor(rules.maxRemoveShare * occupied));
  const recentLoss = Math.max(0, step.draining - step.arrived);
  return step.absent.length + recentLoss > limit;
}

/**
 * Decides which absent targets leave now and which are held. An operator releases those that the hold names.
 *
 * | step              | released by an operator | absent for `confirmReads` | the slot  |
 * | ----------------- | ----------------------- | ------------------------- | --------- |
 * | small, no hold on | -                       | -                         | leaves    |
 * | too large or held | yes                     | -                         | leaves    |
 * | too large or held | no                      | yes                       | leaves    |
 * | too large or held | no                      | no                        | is held   |
 */
export function guard(
  step: Step,
  state: {
    readonly absences: Absences;
    readonly hold: Hold | undefined;
    readonly releasedToken: string | undefined;
    readonly now: number;
  },
  rules: GuardRules,
): { readonly leaving: ReadonlySet<number>; readonly hold: Hold | undefined } {
  if (state.hold !== undefined && state.hold.token === state.releasedToken)
    return release(step, state.hold, state, rules);
  // A hold stays on until each of its targets is confirmed: those that leave first make the rest look like a small step.
  const isHolding = state.hold !== undefined && rules.confirmReads > 0;
  if (!isHolding && !isTooLarge(step, rules)) return { leaving: indexesOf(step.absent), hold: undefined };

  const isConfirmed = (slot: TakenSlot) =>
    rules.confirmReads > 0 && (state.absences.get(slot.index)?.reads ?? 0) >= rules.confirmReads;
  const held = step.absent.filter((slot) => !isConfirmed(slot));
  const leaving = indexesOf(step.absent.filter(isConfirmed));
  if (held.length === 0) return { leaving, hold: undefined };
  const targets = held.map((slot) => slot.target.name);
  return { leaving, hold: { token: tokenFor(targets, state), sinceAt: state.hold?.sinceAt ?? state.now, targets } };
}

const indexesOf = (slots: readonly TakenSlot[]): ReadonlySet<number> => new Set(slots.map(({ index }) => index));

/** Who lets go of what a hold names has seen those names, and no others: whoever joined them meanwhile is judged anew. */
function release(
  step: Step,
  { targets }: Hold,
  state: Parameters<typeof guard>[1],
  rules: GuardRules,
): ReturnType<typeof guard> {
  const seen = step.absent.filter(({ target }) => targets.includes(target.name));
  const unseen = step.absent.filter((slot) => !seen.includes(slot));
  if (unseen.length === 0) return { leaving: indexesOf(seen), hold: undefined };
  const rest = { ...step, absent: unseen, draining: step.draining + seen.length };
  const { leaving, hold } = guard(rest, { ...state, hold: undefined, releasedToken: undefined }, rules);
  return { leaving: new Set([...indexesOf(seen), ...leaving]), hold };
}

/** A hold that grows has another token: the one before speaks for the targets that it was shown with. */
function tokenFor(
  targets: readonly string[],
  { hold, now }: { readonly hold: Hold | undefined; readonly now: number },
) {
  if (hold !== undefined && targets.every((name) => hold.targets.includes(name))) return hold.token;
  const token = `hold-${now.toString(36)}`;
  return token === hold?.token ? `${token}-${targets.length}` : token;
}
