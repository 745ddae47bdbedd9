import type { createCheck } from '../../check/health-checks.ts';
import { createScheduler, type SchedulerFigures } from '../../check/scheduler.ts';
import type { ServiceConfig } from '../../config/schema.ts';
import type { HealthRules } from '../../judge/health.ts';
import { describeError, HsdoError } from '../../model/error.ts';
import type { Probe } from '../../model/probe.ts';
import type { Problem } from '../../model/problem.ts';
import type { Target } from '../../model/target.ts';
import type { BallotWriter } from '../../publish/ballot-writer.ts';
import { createStreak } from '../../telemetry/log.ts';
import { withDeadline } from '../../time/deadline.ts';
import { every } from '../../time/every.ts';
import { createNudge } from '../../time/nudge.ts';
import { runTogether } from '../lifecycle.ts';
import type { ProcessParts } from '../process.ts';
import { createOpinions, type Opinion, type Opinions } from './opinions.ts';
import { createWayOut } from './way-out.ts';

/** A service that this process watches, and where its targets come from. */
export interface WatchedService {
  readonly service: ServiceConfig & { readonly check: NonNullable<ServiceConfig['check']> };
  /** What its sources report at the moment. */
  readonly targets: () => readonly Target[];
}

/** One observer: it asks the targets of all services with a check, and says in the store what it thinks of them. */
export interface Observing {
  run(signal: AbortSignal): Promise<void>;
  /** The sources of a service report something else than before. */
  targetsChanged(service: string): void;
  opinions(service: string): readonly Opinion[];
  figures(): SchedulerFigures;
  problems(): readonly Problem[];
}

const storeDeadlineMs = 5000;

/** When an opinion turns, by the configuration of the check. */
function rulesOf({ rise, fall, holdDown }: WatchedService['service']['check']): HealthRules {
  return { rise, fall, holdDown: { ms: holdDown.seconds * 1000, maxMs: holdDown.maxSeconds * 1000 } };
}

/** What an observer is made of. */
export interface ObservingParts extends Pick<ProcessParts, 'clock' | 'log' | 'metrics' | 'closers'> {
  readonly config: Pick<ProcessParts['config'], 'cluster' | 'checks'>;
  readonly watched: readonly WatchedService[];
  readonly writer: BallotWriter;
  readonly makeCheck: typeof createCheck;
  /** What this process thought before a reload; it goes on from there. */
  readonly opinions?: Opinions;
  /** Gives the opinions what was counted in earlier runs, and a loop that keeps what is counted now. */
  readonly openStatistics: (
    opinions: Opinions,
    services: readonly string[],
    signal: AbortSignal,
  ) => Promise<{ run(signal: AbortSignal): Promise<void> }>;
}

/** Touches nothing outside before `run`. */
export function createObserving(parts: ObservingParts): Observing {
  const { config, clock, log, metrics, closers, watched, writer } = parts;
  const { nodeId, heartbeatSeconds } = config.cluster;
  const { opinions = createOpinions(clock) } = parts;
  const cast = createNudge();
  const wayOut = createWayOut(config.checks.wayOut, { clock, log, onChange: cast.nudge });
  const streak = createStreak(log, 'casting votes');
  let failure: string | undefined;
  let isStarted = false;
  const scheduler = createScheduler({
    clock,
    log,
    concurrency: config.checks.concurrency,
    onProbe(service, target, probe, startedAt, delayMs) {
      count(parts, service, probe, clock.monotonic() - startedAt, delayMs);
      if (opinions.note(service, target, probe)) cast.nudge();
    },
  });
  const jobs = watched.map(({ service, targets }) => {
    const { name, domain, check: options } = service;
    const check = parts.makeCheck(options, { service: name, domain, clock });
    closers.add(`the check of service "${name}"`, () => check.close?.());
    const plan = {
      check,
      intervalMs: options.intervalSeconds * 1000,
      timeoutMs: options.timeoutSeconds * 1000,
      retries: options.retries,
    };
    const set = () => {
      const known = targets();
      opinions.watch(name, known, rulesOf(options));
      scheduler.set(name, { ...plan, targets: known });
    };
    return { name, set };
  });

  const names = jobs.map(({ name }) => name);

  async function say(signal: AbortSignal): Promise<void> {
    const abstains = wayOut.closed();
    metrics.checkRunning.set(scheduler.figures().running);
    const registration = { services: names, ...(abstains === undefined ? {} : { abstains }) };
    try {
      await withDeadline('The store, given votes,', storeDeadlineMs, signal, (inner) =>
        writer.cast(opinions.ballot(nodeId), registration, inner),
      );
      failure = undefined;
      streak.worked();
      metrics.ballotLastSuccess.set(clock.now() / 1000);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HsdoError)) throw error;
      failure = describeError(error);
      streak.failed(failure);
    }
  }

  async function start(signal: AbortSignal): Promise<void> {
    // What was said before the restart is a start, not a condition: a store that is away costs nothing but that.
    const former = await withDeadline('The store, asked for former votes,', storeDeadlineMs, signal, (inner) =>
      writer.former(inner),
    ).catch((error: unknown) => {
      log.debug({ reason: describeError(error) }, 'former votes cannot be read');
      return undefined;
    });
    if (former) opinions.restore(former);
    isStarted = true;
    opinions.keep(names);
    for (const { set } of jobs) set();
  }

  return {
    async run(signal) {
      const statistics = await parts.openStatistics(opinions, names, signal);
      await start(signal);
      const intervalMs = heartbeatSeconds * 1000;
      const loops = [
        scheduler.run,
        ...(config.checks.wayOut.length > 0 ? [wayOut.run] : []),
        (inner: AbortSignal) => every({ name: 'votes', intervalMs, clock, nudge: cast }, () => say(inner), inner),
        statistics.run,
      ];
      await runTogether(loops, signal);
    },
    targetsChanged(service) {
      if (isStarted) jobs.find(({ name }) => name === service)?.set();
    },
    opinions: opinions.of,
    figures: scheduler.figures,
    problems: () => (failure === undefined ? [] : [{ part: 'votes', message: failure }]),
  };
}

function count(
  { metrics }: Pick<ProcessParts, 'metrics'>,
  service: string,
  { code }: Probe,
  tookMs: number,
  delayMs: number,
): void {
  metrics.checkProbes.inc({ service, code });
  metrics.checkSeconds.observe({ service }, tookMs / 1000);
  metrics.checkStartDelay.observe(Math.max(0, delayMs) / 1000);
}
