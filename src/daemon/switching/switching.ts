import type { SwitchView } from '../../api/switch-view.ts';
import {
  decide,
  isSameWish,
  type Pursuit,
  pointsAt,
  type Step,
  type SwitchRules,
  type Wish,
  wishOf,
} from '../../deliver/switch/reconcile.ts';
import type { EntryPoint, Switcher } from '../../deliver/switch/switcher.ts';
import { HsdoError, hasCode } from '../../model/error.ts';
import type { Problem } from '../../model/problem.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Lease } from '../../publish/lease.ts';
import type { Term } from '../../publish/term.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { type Backoff, createBackoff } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import { withDeadline } from '../../time/deadline.ts';
import { pause } from '../../time/every.ts';
import { type Heartbeat, heartbeatOf } from '../../time/heartbeats.ts';
import { createNudge } from '../../time/nudge.ts';
import type { ObservedActive } from '../round.ts';
import { createSwitchReport, type SwitchReport } from './switching-report.ts';

export interface SwitchingParts {
  readonly service: string;
  readonly kind: string;
  readonly rules: SwitchRules;
  readonly timeoutMs: number;
  /** Makes the switcher; once for each term, so that nothing believed in an earlier one counts. */
  readonly create: () => Switcher;
  readonly lease: Pick<Lease, 'term'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Keeps the outside pointing at the active target of one service, while this process leads. */
export interface Switching {
  run(signal: AbortSignal): Promise<void>;
  /** A round under `term` has published this list, or has found it still right. */
  decided(snapshot: Snapshot, term: Term): void;
  /** Something about the lease has changed. */
  leaseChanged(): void;
  /** Where the outside points, as read in this term. */
  observed(): ObservedActive;
  /** `undefined` while this process does not lead. */
  view(): SwitchView | undefined;
  problems(): readonly Problem[];
}

/** What this process does as the leader of one term. */
interface Turn {
  readonly epoch: number;
  readonly switcher: Switcher;
  readonly backoff: Backoff;
  /** Ends the call on its way when the term ends. */
  readonly over: AbortController;
  readonly report: SwitchReport;
  pursuit: Pursuit;
  wish: Wish | undefined;
  /** The last attempt was a switch, and nothing was read since. */
  isUnread: boolean;
  /** The other side said when it may be asked again; no new decision shortens that. */
  isToldToWait: boolean;
}

const longestWaitMs = 30_000;
/** What was understood and refused is asked again as seldom as this: a person has to do something first. */
const afterRefusalMs = 60_000;
const followerWaitMs = 60_000;

/**
 * The loop around a service's switcher: it reads back, compares with the list, switches, and reads back again. No
 * provider has a fence as the store has. So the term is asked for right before each switch, only lists of a round of that
 * very term count, a call is given up when the term ends, and what a late call of an earlier leader still does is
 * found and put right by the next reading. A provider that hangs delays nobody else: every service has a loop of its own.
 */
export function createSwitching(parts: SwitchingParts): Switching {
  const { service, kind, rules, lease, clock } = parts;
  const nudge = createNudge();
  let turn: Turn | undefined;
  let heartbeat: Heartbeat | undefined;

  const retire = () => {
    turn?.over.abort(new HsdoError('unavailable', 'this server leads no more'));
    turn?.report.retire();
    turn = undefined;
  };
  const turnOf = (epoch: number): Turn => {
    if (turn?.epoch === epoch) return turn;
    retire();
    const backoff = createBackoff({ baseMs: 2 * rules.freshMs, maxMs: longestWaitMs });
    const report = createSwitchReport(parts);
    const [switcher, over] = [parts.create(), new AbortController()];
    turn = {
      epoch,
      switcher,
      backoff,
      over,
      report,
      pursuit: {},
      wish: undefined,
      isUnread: false,
      isToldToWait: false,
    };
    return turn;
  };

  async function attempt(mine: Turn, step: Exclude<Step, { kind: 'wait' }>, signal: AbortSignal): Promise<void> {
    const { switcher, over } = mine;
    const either = AbortSignal.any([signal, over.signal]);
    const timely = <T>(call: (inner: AbortSignal) => Promise<T>) =>
      withDeadline(`The switcher "${kind}" of service "${service}"`, parts.timeoutMs, either, call);
    try {
      if (step.kind === 'read') {
        const current = await timely((inner) => switcher.current(inner));
        if (!either.aborted) noteSight(mine, current, clock.monotonic());
      } else {
        await timely((inner) => switcher.switchTo(step.to, inner));
        if (!either.aborted) noteSwitch(mine, step.to, clock.monotonic());
      }
    } catch (error) {
      if (!either.aborted) noteFailure(mine, step, error, clock.monotonic());
    }
  }

  async function pass(signal: AbortSignal): Promise<void> {
    const term = lease.term();
    if (term === undefined) {
      retire();
      heartbeat?.beat(followerWaitMs);
      return pause(clock, followerWaitMs, nudge, signal);
    }
    const mine = turnOf(term.epoch);
    const now = clock.monotonic();
    const step = decide(mine.pursuit, mine.wish, rules, now);
    heartbeat?.beat(step.kind === 'wait' ? step.untilMs - now : parts.timeoutMs);
    if (step.kind !== 'wait') return attempt(mine, step, signal);
    mine.report.waits(step.untilMs - now, step.isHeldUp);
    return pause(clock, Math.max(1, step.untilMs - now), nudge, signal);
  }

  return {
    async run(signal) {
      heartbeat = heartbeatOf(clock, `switch of "${service}"`);
      try {
        while (!signal.aborted) await pass(signal);
      } finally {
        heartbeat.end();
        retire();
      }
    },
    decided(snapshot, { epoch }) {
      if (lease.term()?.epoch !== epoch) return;
      const mine = turnOf(epoch);
      const wish = wishOf(snapshot);
      if (isSameWish(mine.wish, wish)) return;
      mine.wish = wish;
      mine.report.wants(wish?.entry);
      // What the provider refused or did not do for another target says little about this one.
      if (!mine.isToldToWait) mine.pursuit = withoutWait(mine.pursuit);
      mine.backoff.reset();
      nudge.nudge();
    },
    leaseChanged() {
      if (turn !== undefined && lease.term()?.epoch !== turn.epoch) retire();
      nudge.nudge();
    },
    observed() {
      const sight = turn?.pursuit.sight;
      return sight === undefined ? { isKnown: false } : { isKnown: true, entry: sight.current };
    },
    view: () => turn?.report.view(),
    problems: () => turn?.report.problems() ?? [],
  };
}

const withoutWait = ({ notBeforeMs: _over, ...rest }: Pursuit): Pursuit => rest;
const withoutSight = ({ sight: _old, ...rest }: Pursuit): Pursuit => rest;

function noteSight(turn: Turn, current: string | undefined, atMs: number): void {
  const { wish, isUnread, backoff, pursuit } = turn;
  const agrees = wish !== undefined && pointsAt(current, wish.entry);
  const isUnheeded = isUnread && wish !== undefined && !agrees && pursuit.switched?.entry.name === wish.entry.name;
  turn.pursuit = { ...withoutWait(pursuit), sight: { current, atMs } };
  turn.isUnread = false;
  turn.isToldToWait = false;
  turn.report.read(current);
  if (agrees) backoff.reset();
  if (!isUnheeded) return;
  // It took the switch and says something else: asked at once it would be switched over and over.
  const waitMs = backoff.next();
  turn.pursuit = { ...turn.pursuit, notBeforeMs: atMs + waitMs };
  turn.report.failed(
    new HsdoError('unavailable', `it took the switch, and points at ${current ?? 'nothing'} nevertheless`),
    waitMs,
  );
}

function noteSwitch(turn: Turn, entry: EntryPoint, atMs: number): void {
  turn.report.switched(entry, turn.pursuit.sight?.current, turn.epoch);
  turn.pursuit = { switched: { entry, atMs } };
  turn.isUnread = true;
}

function noteFailure(turn: Turn, step: Step, error: unknown, atMs: number): void {
  const { backoff } = turn;
  const told = error instanceof HsdoError ? error.retryAfterMs : undefined;
  const waitMs = Math.max(told ?? 0, hasCode(error, 'rejected') ? afterRefusalMs : backoff.next());
  turn.isToldToWait = told !== undefined;
  turn.pursuit = {
    ...(step.kind === 'switch' ? withoutSight(turn.pursuit) : turn.pursuit),
    notBeforeMs: atMs + waitMs,
  };
  if (step.kind === 'switch') turn.report.refused(error);
  turn.report.failed(error, waitMs);
}
