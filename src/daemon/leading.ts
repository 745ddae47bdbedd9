import type { ListRules } from '../assign/rules.ts';
import type { ServiceConfig } from '../config/schema.ts';
import type { Observer } from '../model/ballot.ts';
import { describeError, HsdoError } from '../model/error.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Lease } from '../publish/lease.ts';
import type { Requests } from '../publish/requests.ts';
import type { Snapshots } from '../publish/snapshots.ts';
import type { Term } from '../publish/term.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { every, pause } from '../time/every.ts';
import type { Nudge } from '../time/nudge.ts';
import { type Decision, describeChanges } from './changes.ts';
import { createJudging } from './judging.ts';
import {
  freshMemory,
  isOvertaken,
  type Known,
  type ObservedActive,
  type RoundMemory,
  type RoundResult,
  round,
} from './round.ts';
import { exportSnapshot, forgetSnapshot } from './slot-metrics.ts';

export interface LeadingParts {
  readonly service: ServiceConfig;
  readonly known: () => Known;
  readonly observers: () => readonly Observer[] | undefined;
  /** Where the service's switcher says that the outside points; absent without one. */
  readonly observedActive?: (() => ObservedActive) | undefined;
  /** How long a first list waits for the first votes, and for that. */
  readonly firstWaitMs: number;
  readonly lease: Lease;
  readonly snapshots: Snapshots;
  readonly requests: Requests;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly nudge: Nudge;
  /** Told after each round: the list that stands now, and under which term it was published or found right. */
  readonly decided?: ((snapshot: Snapshot, term: Term) => void) | undefined;
}

/** The leader's loop of one service, and what it last found out. */
export interface Leading {
  run(signal: AbortSignal): Promise<void>;
  /** The last round's outcome; absent while this process does not lead. */
  last(): RoundResult | undefined;
  /** The list as this process led with it last, whoever leads now. */
  former(): Snapshot | undefined;
  /** Why the last round failed. */
  failure(): string | undefined;
}

/** Decisions that a person should look at. */
const alarming: readonly Decision['event'][] = ['unplaced', 'holding', 'down', 'panic'];
const roundDeadlineMs = 15_000;
const overtakenMs = 100;

/** What the configuration of a service says about its list, in the units of the core. */
export function rulesOf(service: ServiceConfig): ListRules {
  const { min, max, increase, intervalSeconds, first } = service.weight;
  return {
    size: service.size,
    ramp: { min, max, increase, intervalMs: intervalSeconds * 1000, first },
    guard: service.guard,
    drainMs: service.drainSeconds * 1000,
  };
}

/** Runs rounds while this process leads: after every nudge, and at the latest every interval. */
export function createLeading(parts: LeadingParts): Leading {
  const { service, lease, log, metrics, clock } = parts;
  const roundParts = {
    ...parts,
    service: service.name,
    rules: rulesOf(service),
    judging: createJudging(service),
    windows: service.maintenance,
  };
  const streak = createStreak(log, 'a round', { service: service.name });
  let memory: RoundMemory = freshMemory;
  let last: RoundResult | undefined;
  let former: Snapshot | undefined;
  let failure: string | undefined;

  const stepDown = () => {
    if (last?.snapshot) forgetSnapshot(metrics, service.name);
    memory = freshMemory;
    last = undefined;
    failure = undefined;
  };
  const tell = (result: RoundResult) => {
    if (!result.snapshot) return;
    const { snapshot, before, asked } = result;
    for (const decision of before === snapshot ? [] : describeChanges(before, snapshot)) {
      const fields = { service: service.name, revision: snapshot.revision, ...decision };
      if (decision.event === 'weight') log.debug(fields, 'slot');
      else if (alarming.includes(decision.event)) log.warn(fields, 'slot');
      else log.info(fields, 'slot');
    }
    if (snapshot.primary?.forgotten !== before?.primary?.forgotten) {
      const forgot = { service: service.name, ...before?.primary, by: asked.forgetPrimary?.by };
      log.warn(forgot, 'the primaries of the past are forgotten, as an operator asked');
    }
    if (before !== snapshot) metrics.published.inc({ service: service.name });
    if (before !== snapshot || last === undefined) exportSnapshot(metrics, snapshot, 'server');
    metrics.snapshotAge.set({ service: service.name, role: 'server' }, clock.now() / 1000);
  };

  async function once(signal: AbortSignal): Promise<void> {
    const term = lease.term();
    if (!term) return stepDown();
    const done = metrics.roundSeconds.startTimer({ service: service.name });
    try {
      const play = (inner: AbortSignal) => round(roundParts, memory, term, inner);
      const result = await withDeadline(`A round of service "${service.name}"`, roundDeadlineMs, signal, play, clock);
      tell(result);
      memory = result.memory;
      last = result;
      former = result.snapshot ?? former;
      if (result.snapshot) parts.decided?.(result.snapshot, term);
      failure = undefined;
      streak.worked();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HsdoError)) throw error;
      // Whoever wrote meanwhile knows better than what we remember.
      memory = { ...memory, published: undefined };
      if (isOvertaken(error)) {
        // At once, but not in a hot loop: a stale leader meets this until its own clock ends its term.
        await pause(clock, overtakenMs, undefined, signal);
        return parts.nudge.nudge();
      }
      failure = describeError(error);
      streak.failed(failure);
    } finally {
      done();
    }
  }

  const { intervalMs, nudge } = parts;
  const looks = { name: `rounds of "${service.name}"`, intervalMs, clock, nudge };
  return {
    run: (signal) => every(looks, () => once(signal), signal),
    last: () => last,
    former: () => former,
    failure: () => failure,
  };
}
