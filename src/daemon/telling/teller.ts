import { outliving } from '../../agent/outliving.ts';
import type { EventFilter } from '../../deliver/notify/compose.ts';
import type { Notifier } from '../../deliver/notify/notifier.ts';
import type { Manner } from '../../deliver/notify/pace.ts';
import { describeError, HsdoError, hasCode } from '../../model/error.ts';
import type { Notice } from '../../model/notice.ts';
import type { Problem } from '../../model/problem.ts';
import type { Events } from '../../publish/events.ts';
import { clusterScope, type Scope, serviceOf } from '../../publish/events-format.ts';
import type { Told } from '../../publish/events-told.ts';
import type { Lease } from '../../publish/lease.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { createBackoff } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import { withDeadline } from '../../time/deadline.ts';
import { pause } from '../../time/every.ts';
import { heartbeatOf } from '../../time/heartbeats.ts';
import { createNudge } from '../../time/nudge.ts';
import { runTogether } from '../lifecycle.ts';
import type { Standing } from './announcing-round.ts';
import { createListening } from './listening.ts';
import { createTelling } from './telling.ts';
import { inTime } from './telling-store.ts';

export interface TellerParts {
  readonly name: string;
  readonly cluster: string;
  readonly notifier: Notifier;
  readonly manner: Manner;
  readonly filter: EventFilter;
  /** Services that it is told of; absent: all. Of the cluster it is told in any case. */
  readonly services: readonly string[] | undefined;
  readonly timeoutMs: number;
  readonly events: Pick<Events, 'batch'>;
  readonly told: Told;
  readonly standing: () => Standing | undefined;
  readonly lease: Pick<Lease, 'term'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'notices' | 'noticesWaiting'>;
}

/** Keeps one notifier up with what is announced; none waits for another one. */
export interface Teller {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
  covers(scope: Scope): boolean;
  toldSeq(scope: Scope): number;
  /** Something was announced. */
  nudge(): void;
  problems(): readonly Problem[];
  /** Resolves when no notice is on its way. */
  idle(): Promise<void>;
}

const pollMs = 500;
/** A notice that is on its way when the process ends is waited for, so that the next leader does not send it again. */
export const graceMs = 1500;

/** Tells nobody before `run`. */
export function createTeller(parts: TellerParts): Teller {
  const { name, notifier, services, timeoutMs, standing, lease, clock, log, metrics } = parts;
  const streak = createStreak(log, 'notifying', { notifier: name });
  const reading = createStreak(log, 'reading what is to be told', { notifier: name });
  const backoff = createBackoff({ baseMs: 1000, maxMs: 60_000 });
  const nudge = createNudge();
  const covers = (scope: Scope) => scope === clusterScope || (services?.includes(serviceOf(scope) ?? '') ?? true);
  let problem: string | undefined;
  let failure: HsdoError | undefined;
  let onItsWay: Promise<unknown> = Promise.resolve();
  /** Not before this moment, whatever is announced; monotonic. */
  let quietUntilMs = 0;

  async function attempt(notice: Notice, signal: AbortSignal): Promise<HsdoError | undefined> {
    failure = undefined;
    try {
      await withDeadline(`Notifier "${name}"`, timeoutMs, signal, (inner) => notifier.notify(notice, inner));
    } catch (error) {
      signal.throwIfAborted();
      const isKnown = hasCode(error, 'rejected') || hasCode(error, 'unavailable');
      // A notifier that somebody else wrote may throw anything; that is no reason to end.
      failure = isKnown ? error : new HsdoError('unavailable', `Notifier "${name}" failed`, { cause: error });
      problem = describeError(failure);
      streak.failed(problem);
      metrics.notices.inc({ notifier: name, outcome: failure.code });
      return failure;
    }
    problem = undefined;
    streak.worked();
    backoff.reset();
    metrics.notices.inc({ notifier: name, outcome: 'sent' });
    log.info({ notifier: name, notice: notice.id, title: notice.title }, 'told');
    return undefined;
  }
  const telling = createTelling({ ...parts, ...inTime(parts), covers, attempt });

  async function once(signal: AbortSignal): Promise<number> {
    const [term, now] = [lease.term(), standing()];
    if (!term || now?.epoch !== term.epoch) {
      if (!term) telling.forget();
      metrics.noticesWaiting.set({ notifier: name }, 0);
      return pollMs;
    }
    if (clock.monotonic() < quietUntilMs) return Math.min(pollMs, quietUntilMs - clock.monotonic());
    try {
      const waitMs = await telling.step(term, now, signal);
      reading.worked();
      // The first failure of the notifier after an outage of the store is not the tenth of anything.
      backoff.reset();
      return waitMs;
    } catch (error) {
      if (signal.aborted) return 0;
      if (!(error instanceof HsdoError)) throw error;
      // What the notifier itself says is told already; everything else is the store's.
      if (error !== failure && !hasCode(error, 'conflict')) reading.failed(describeError(error));
      if (hasCode(error, 'conflict')) telling.forget();
      const { retryAfterMs = hasCode(error, 'conflict') ? 0 : backoff.next() } = error;
      quietUntilMs = clock.monotonic() + Math.max(pollMs, retryAfterMs);
      return pollMs;
    } finally {
      metrics.noticesWaiting.set({ notifier: name }, telling.waiting());
    }
  }
  async function tell(signal: AbortSignal): Promise<void> {
    const heartbeat = heartbeatOf(clock, `notifier "${name}"`);
    try {
      while (!signal.aborted) {
        let waitMs = 0;
        heartbeat.beat(timeoutMs);
        onItsWay = outliving(signal, graceMs, clock, async (later) => {
          waitMs = await once(later);
        });
        await onItsWay;
        heartbeat.beat(waitMs);
        if (waitMs > 0) await pause(clock, waitMs, nudge, signal);
      }
    } finally {
      heartbeat.end();
    }
  }
  return {
    name,
    covers,
    nudge: nudge.nudge,
    toldSeq: telling.toldSeq,
    idle: () =>
      onItsWay.then(
        () => undefined,
        () => undefined,
      ),
    problems: () => (problem === undefined ? [] : [{ part: `notifier "${name}"`, message: problem }]),
    run: (signal) => runTogether([tell, ...createListening({ name, notifier, lease, clock, log })], signal),
  };
}
