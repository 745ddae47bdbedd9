import { isDeepStrictEqual } from 'node:util';
import { describeError, HsdoError } from '../model/error.ts';
import { isSameTarget, type Refusal, type Target } from '../model/target.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createBackoff } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { pause } from '../time/every.ts';
import { heartbeatOf } from '../time/heartbeats.ts';
import { accept } from './accept.ts';
import { createListening } from './listening.ts';
import type { Reading } from './merge.ts';
import type { DiscoverySource } from './source.ts';

export interface RefreshOptions {
  /** Name of the service, for log and metrics. */
  readonly service: string;
  /** Names the source within the service, such as `aws`. */
  readonly label: string;
  readonly source: DiscoverySource;
  readonly clock: Clock;
  /** Time between two reads at the latest, while they succeed. */
  readonly intervalMs: number;
  /** Longest time that one read may take. */
  readonly deadlineMs: number;
  /** Longest time between two tries while they fail; default 30 s. */
  readonly maxBackoffMs?: number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What the same source said last before this process was configured anew. */
  readonly former?: Reading | undefined;
  /** Called after every successful read; `isChanged` tells whether it differs from the one before. */
  readonly onRead?: (isChanged: boolean) => void;
  /** For the jitter of the back-off; default `Math.random`. */
  readonly random?: () => number;
}

export interface SourceStatus {
  readonly label: string;
  /** Wall-clock milliseconds. */
  readonly lastSuccessAt?: number;
  /** Why the last read failed; absent while reads succeed. */
  readonly lastError?: string;
  /** Failed reads in a row. */
  readonly failures: number;
  /** Targets of the last good read. */
  readonly targets: number;
  /** When a failing source is asked again, wall-clock milliseconds. */
  readonly nextTryAt?: number;
}

export interface Refresh {
  /** Reads until the signal is aborted, then resolves. Never rejects for what a source does. */
  run(signal: AbortSignal): Promise<void>;
  /** The last good read, for as long as it takes; undefined before the first. */
  latest(): Reading | undefined;
  status(): SourceStatus;
}

/**
 * The loop around one source: full reads at every interval (or when the last answer's own time is over) and after every
 * hint, each under a deadline. What a source
 * said last stays true through any number of failures, during which it is asked ever less often; whatever a source
 * throws is its own failure and stops nobody else.
 */
export function createRefresh(options: RefreshOptions): Refresh {
  const { service, label, source, clock, intervalMs, deadlineMs, log } = options;
  const fields = { service, source: label };
  const streak = createStreak(log, 'reading a source', fields);
  const { maxBackoffMs = 30_000, random = Math.random } = options;
  const backoff = createBackoff({ baseMs: Math.min(intervalMs, 1000), maxMs: maxBackoffMs, random });
  let latest = options.former;
  let failure: { readonly lastError: string; readonly nextTryAt: number } | undefined;

  async function read(signal: AbortSignal): Promise<boolean> {
    const what = `Source "${label}" of service "${service}"`;
    const sightings = await withDeadline(what, deadlineMs, signal, (inner) => source.discover(inner));
    const { targets, refusals } = accept(sightings);
    const isChanged = latest === undefined || !isSameList(latest.targets, targets);
    if (!isDeepStrictEqual(latest?.refusals ?? [], refusals)) tellRefusals(log, fields, refusals);
    latest = { targets, refusals, reads: (latest?.reads ?? 0) + 1, readAt: clock.now() };
    return isChanged;
  }

  /** One read with everything around it; returns whether it brought news, and how long to rest. */
  async function attempt(signal: AbortSignal): Promise<{ readonly isNews: boolean; readonly restMs: number }> {
    const startedAt = clock.monotonic();
    try {
      const isNews = await read(signal);
      failure = undefined;
      backoff.reset();
      streak.worked();
      tellSuccess(options, latest);
      return { isNews, restMs: Math.max(intervalMs, source.standsMs?.() ?? 0) };
    } catch (error) {
      if (signal.aborted) return { isNews: false, restMs: 0 };
      const restMs = backoff.next();
      const known = asHsdoError(error, `Cannot read source "${label}" of service "${service}"`);
      failure = { lastError: describeError(known), nextTryAt: Math.round(clock.now() + restMs) };
      streak.failed(failure.lastError);
      options.metrics.sourceErrors.inc({ ...fields, kind: error instanceof HsdoError ? error.code : 'bug' });
      return { isNews: false, restMs };
    } finally {
      options.metrics.sourceSeconds.observe(fields, (clock.monotonic() - startedAt) / 1000);
    }
  }

  return {
    async run(signal) {
      const listening = createListening({ source, clock, log, fields, intervalMs, maxBackoffMs, random });
      const heartbeat = heartbeatOf(clock, `source "${service}/${label}"`);
      try {
        while (!signal.aborted) {
          heartbeat.beat(deadlineMs);
          const { isNews, restMs } = await attempt(signal);
          if (signal.aborted) return;
          // Told after the books are closed, so that whoever is woken reads the new state.
          if (failure === undefined) options.onRead?.(isNews);
          listening.judge(isNews);
          listening.listen(signal);
          heartbeat.beat(restMs);
          await pause(clock, restMs, listening.hints, signal);
          await listening.hold(signal);
        }
      } finally {
        heartbeat.end();
      }
    },
    latest: () => latest,
    status: () => ({
      label,
      ...(latest === undefined ? {} : { lastSuccessAt: latest.readAt }),
      ...failure,
      failures: streak.failures(),
      targets: latest?.targets.length ?? 0,
    }),
  };
}

function isSameList(one: readonly Target[], other: readonly Target[]): boolean {
  return (
    one.length === other.length &&
    one.every((target, i) => {
      const twin = other[i];
      return twin !== undefined && isSameTarget(target, twin);
    })
  );
}

/** Anything that a plug-in throws without meaning is a bug of that plug-in, and for the process a source that is away. */
function asHsdoError(error: unknown, action: string): HsdoError {
  return error instanceof HsdoError ? error : new HsdoError('unavailable', action, { cause: error });
}

function tellSuccess({ service, label, clock, metrics }: RefreshOptions, latest: Reading | undefined): void {
  const labels = { service, source: label };
  metrics.sourceLastSuccess.set(labels, clock.now() / 1000);
  metrics.sourceTargets.set(labels, latest?.targets.length ?? 0);
  metrics.sourceRefusals.set(labels, latest?.refusals.length ?? 0);
}

const mostToldRefusals = 20;

function tellRefusals(log: Log, fields: Record<string, unknown>, refusals: readonly Refusal[]): void {
  if (refusals.length === 0) {
    log.info(fields, 'a source reports nothing but targets again');
    return;
  }
  const told = refusals.slice(0, mostToldRefusals);
  log.warn({ ...fields, count: refusals.length, refusals: told }, 'a source reports values that are not targets');
}
