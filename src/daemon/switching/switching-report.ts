import type { SwitchView } from '../../api/switch-view.ts';
import { pointsAt } from '../../deliver/switch/reconcile.ts';
import type { EntryPoint } from '../../deliver/switch/switcher.ts';
import { describeError, hasCode } from '../../model/error.ts';
import type { Problem } from '../../model/problem.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Clock } from '../../time/clock.ts';

export interface SwitchReportParts {
  readonly service: string;
  readonly kind: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What logs, metrics, the API and /readyz say about one service's switching. */
export interface SwitchReport {
  wants(entry: EntryPoint | undefined): void;
  read(current: string | undefined): void;
  switched(entry: EntryPoint, from: string | undefined, epoch: number): void;
  /** A switch that did not work, to be counted. */
  refused(error: unknown): void;
  /** Reading or switching failed and is tried again after `waitMs`. */
  failed(error: unknown, waitMs: number): void;
  /** Nothing is done for `waitMs`; held up: by the delay after a switch. */
  waits(waitMs: number, isHeldUp: boolean): void;
  /** This server leads no more. */
  retire(): void;
  view(): SwitchView;
  problems(): readonly Problem[];
}

/** For so long something may differ before it is called a problem. */
const patienceMs = 60_000;

export function createSwitchReport({ service, kind, clock, log, metrics }: SwitchReportParts): SwitchReport {
  const streak = createStreak(log, 'switching the entry point', { service, kind });
  let wanted: EntryPoint | undefined;
  let sight: { readonly current: string | undefined } | undefined;
  let view: SwitchView = { kind };
  /** Monotonic; since when it is not known to be right. */
  let wrongSinceMs: number | undefined;
  let isRefused = false;

  const agrees = () => (sight && wanted ? pointsAt(sight.current, wanted) : undefined);
  const judge = () => {
    const verdict = agrees();
    if (verdict === false) wrongSinceMs ??= clock.monotonic();
    else if (verdict === true) wrongSinceMs = undefined;
    if (verdict === undefined) metrics.switchAgrees.remove({ service });
    else metrics.switchAgrees.set({ service }, verdict ? 1 : 0);
  };
  const answered = () => {
    const at = clock.now();
    const { lastError: _old, nextTryAt: _past, ...rest } = view;
    view = { ...rest, lastSuccessAt: at };
    isRefused = false;
    metrics.switchLastSuccess.set({ service }, at / 1000);
  };

  return {
    wants(entry) {
      wanted = entry;
      if (entry === undefined) wrongSinceMs = undefined;
      judge();
    },
    read(current) {
      sight = { current };
      answered();
      if (wanted === undefined) wrongSinceMs = undefined;
      judge();
      if (agrees() !== false) streak.worked();
    },
    switched(entry, from, epoch) {
      answered();
      view = { ...view, lastSwitchAt: clock.now() };
      metrics.switches.inc({ service, outcome: 'switched' });
      const { name: to, address } = entry;
      log.info({ service, kind, from: from ?? 'nothing', to, address, epoch }, 'the entry point is switched');
    },
    refused(error) {
      metrics.switches.inc({ service, outcome: hasCode(error, 'rejected') ? 'rejected' : 'unavailable' });
    },
    failed(error, waitMs) {
      isRefused = hasCode(error, 'rejected');
      wrongSinceMs ??= clock.monotonic();
      const reason = describeError(error);
      if (isRefused && view.lastError !== reason)
        log.error({ service, kind, reason }, 'the entry point cannot be switched');
      view = { ...view, lastError: reason, nextTryAt: clock.now() + waitMs };
      streak.failed(reason);
    },
    waits(waitMs, isHeldUp) {
      if (!isHeldUp) return;
      wrongSinceMs = undefined;
      view = { ...view, nextTryAt: clock.now() + waitMs };
    },
    retire() {
      // Who follows reads nothing: its last figures would grow old, and look like a provider that is away.
      metrics.switchAgrees.remove({ service });
      metrics.switchLastSuccess.remove({ service });
    },
    view() {
      const isRight = agrees();
      return {
        ...view,
        ...(sight?.current === undefined ? {} : { current: sight.current }),
        ...(wanted === undefined ? {} : { wanted: wanted.name }),
        ...(isRight === undefined ? {} : { agrees: isRight }),
      };
    },
    problems() {
      const isLong = wrongSinceMs !== undefined && clock.monotonic() - wrongSinceMs > patienceMs;
      if (!isLong && !isRefused) return [];
      const found = sight === undefined ? 'not known where it points' : `it points at ${sight.current ?? 'nothing'}`;
      const wish = wanted === undefined ? '' : `, wanted: ${wanted.name} (${wanted.address})`;
      const why = view.lastError === undefined ? '' : `: ${view.lastError}`;
      return [{ part: `switch "${service}" (${kind})`, message: `${found}${wish}${why}` }];
    },
  };
}
