import { isDeepStrictEqual } from 'node:util';
import { assign } from '../assign/assign.ts';
import type { Absences } from '../assign/guard.ts';
import type { ListRules } from '../assign/rules.ts';
import { type MaintenanceWindow, type Planned, planned } from '../assign/windows.ts';
import type { Observer } from '../model/ballot.ts';
import { hasCode } from '../model/error.ts';
import type { Desired, Snapshot } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import type { Requests, ServiceRequests } from '../publish/requests.ts';
import type { Snapshots } from '../publish/snapshots.ts';
import type { Term } from '../publish/term.ts';
import type { Clock } from '../time/clock.ts';
import type { Judging } from './judging.ts';

/** What all sources of a service together say at the moment. */
export interface Known {
  readonly targets: readonly Target[];
  /** False while a source was never read. */
  readonly complete: boolean;
  /** Moves when every source was read anew. */
  readonly reads: number;
}

/** What a switcher's provider says of the active target. */
export interface ObservedActive {
  /** False until it was read once. */
  readonly isKnown: boolean;
  /** Name or address of the entry point; absent where it points at none yet. */
  readonly entry?: string | undefined;
}

/** What a leader remembers from one round to the next; a new leader starts without. */
export interface RoundMemory {
  /** The list as it stands in the store, unless somebody else wrote since. */
  readonly published: Snapshot | undefined;
  readonly absences: Absences;
  readonly reads: number;
  /** Since when targets without any verdict, or the switcher, are waited for, monotonic milliseconds. */
  readonly openSinceMs?: number | undefined;
}

export const freshMemory: RoundMemory = { published: undefined, absences: new Map(), reads: -1 };

export interface RoundParts {
  readonly service: string;
  readonly rules: ListRules;
  readonly known: () => Known;
  /** Everybody's votes, as last read. */
  readonly observers: () => readonly Observer[] | undefined;
  readonly judging: Judging;
  /** Planned maintenance. */
  readonly windows?: readonly MaintenanceWindow[];
  /** Where the outside points now; `undefined` for a service that switches nothing outside. */
  readonly observedActive?: (() => ObservedActive) | undefined;
  /** How long first votes are waited for. */
  readonly firstWaitMs: number;
  readonly snapshots: Snapshots;
  readonly requests: Requests;
  readonly clock: Clock;
}

export interface RoundResult {
  readonly memory: RoundMemory;
  readonly before: Snapshot | undefined;
  readonly snapshot: Snapshot | undefined;
  readonly asked: ServiceRequests;
  readonly shrinkBlockedBy: readonly number[];
}

/**
 * One leader round of one service: read everything, decide once, publish if anything differs. Until the sources were
 * all read once nobody arrives or leaves, and no first list is published; but in a list that stands the ramps, the
 * drains, verdicts and what operators ask for go on, since a source may be away for hours after a change of leader. A
 * first list of a service with a check waits for the first votes, and that of one with a switcher for where it points now,
 * for a bounded time.
 */
export async function round(
  parts: RoundParts,
  memory: RoundMemory,
  term: Term,
  signal: AbortSignal,
): Promise<RoundResult> {
  const { service, snapshots, requests, clock } = parts;
  const before = await currentSnapshot(snapshots, service, memory.published, signal);
  const asked = await requests.read(service, signal);
  const known = parts.known();
  const plan = plannedNow(parts, before, known);
  const assigned = assignNow(parts, memory, before, { asked, known, plan });
  const isWaitOver = memory.openSinceMs !== undefined && clock.monotonic() - memory.openSinceMs >= parts.firstWaitMs;
  const outside = parts.observedActive?.();
  const { desired, isOpen } = parts.judging({
    desired: assigned.desired,
    before,
    observers: parts.observers(),
    isWaitOver,
    forgetToken: asked.forgetPrimary?.token,
    switchoverWish: asked.switchover,
    observedActive: outside?.entry,
    now: clock.now(),
  });
  const isFirst = before === undefined || before.epoch === 0;
  const maintenanceUntilAt = latest(plan.serviceUntilAt, asked.maintenance?.untilAt, clock.now());
  const next = {
    ...desired,
    ...(known.complete || isFirst ? {} : { unplaced: before.unplaced }),
    ...(maintenanceUntilAt === undefined ? {} : { maintenanceUntilAt }),
  };
  const isAwaited = isOpen || outside?.isKnown === false;
  const mayBegin = known.complete && (before !== undefined || !isAwaited || isWaitOver);
  const isDue = isFirst ? mayBegin : !isSame(before, next);
  const published = isDue ? await snapshots.write(before, next, term, clock.now(), signal) : before;
  const openSinceMs = isAwaited && known.complete ? (memory.openSinceMs ?? clock.monotonic()) : undefined;
  const { absences, shrinkBlockedBy } = assigned;
  const remembered = { published, absences, reads: known.reads, openSinceMs };
  return { memory: remembered, before, snapshot: published, asked, shrinkBlockedBy };
}

/** The end of the maintenance of a service, planned or by hand, that is on now. */
function latest(planned: number | undefined, byHand: number | undefined, now: number): number | undefined {
  if (byHand === undefined || byHand <= now) return planned;
  return Math.max(planned ?? 0, byHand);
}

function plannedNow({ windows = [], clock }: RoundParts, before: Snapshot | undefined, known: Known): Planned {
  if (windows.length === 0) return { overrides: new Map() };
  const listed = (before?.slots ?? []).flatMap((slot) => (slot.state === 'taken' ? [slot.target] : []));
  return planned(windows, new Map([...listed, ...known.targets].map(({ id, name }) => [id, name])), clock.now());
}

function assignNow(
  { service, rules, clock }: RoundParts,
  memory: RoundMemory,
  before: Snapshot | undefined,
  { asked, known, plan }: { readonly asked: ServiceRequests; readonly known: Known; readonly plan: Planned },
) {
  // What an operator asks for by hand comes before any plan.
  const byHand = asked.overrides.map(({ targetId, state }) => [targetId, state] as const);
  return assign({
    service,
    slots: before?.slots ?? [],
    hold: before?.hold,
    targets: known.complete ? known.targets : [],
    isComplete: known.complete,
    isNewRead: known.reads > memory.reads,
    absences: memory.absences,
    overrides: new Map([...plan.overrides, ...byHand]),
    releasedToken: asked.releasedToken,
    now: clock.now(),
    rules,
  });
}

/** The cached list while the store's revision confirms it, else the whole list read anew. */
async function currentSnapshot(
  snapshots: Snapshots,
  service: string,
  cached: Snapshot | undefined,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  if (cached && (await snapshots.revision(service, signal)) <= cached.revision) return cached;
  return snapshots.read(service, signal);
}

function isSame(before: Snapshot, desired: Desired): boolean {
  return (
    isDeepStrictEqual(before.slots, desired.slots) &&
    isDeepStrictEqual(before.unplaced, desired.unplaced) &&
    isDeepStrictEqual(before.hold, desired.hold) &&
    isDeepStrictEqual(before.panic, desired.panic) &&
    isDeepStrictEqual(before.primary, desired.primary) &&
    isDeepStrictEqual(before.switchover, desired.switchover) &&
    before.active === desired.active &&
    before.activeSinceAt === desired.activeSinceAt &&
    before.maintenanceUntilAt === desired.maintenanceUntilAt
  );
}

/** True when a round failed because somebody else wrote or took the lease: read again, decide anew. */
export function isOvertaken(error: unknown): boolean {
  return hasCode(error, 'conflict');
}
