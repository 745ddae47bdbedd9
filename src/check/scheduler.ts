import type { Probe } from '../model/probe.ts';
import type { Target } from '../model/target.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';
import { createNudge } from '../time/nudge.ts';
import { createPlaces, type Place } from './places.ts';
import { runProbe } from './probing.ts';
import { type CheckJob, createRoster, type RosterEntry } from './roster.ts';

export interface SchedulerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How many probes that began within the last quarter of a second may run at once; default 256. */
  readonly concurrency?: number;
  /** How many probes may run at once in all, those included that only wait for a time-out; default 4096. */
  readonly maxRunning?: number;
  /**
   * Told of every probe of a target that is still checked. `startedAt` is an instant of `clock.monotonic()`, `delayMs`
   * how much later than planned that was. What it throws ends `run`.
   */
  readonly onProbe: (service: string, target: Target, probe: Probe, startedAt: number, delayMs: number) => void;
}

export interface SchedulerFigures {
  readonly targets: number;
  readonly running: number;
  /** Probes that are due and wait for a place. */
  readonly waiting: number;
  /** For how long the first of those has been waiting. */
  readonly latenessMs: number;
  /** Since the start: probes begun, and turns left out because the probe before was still running. */
  readonly begun: number;
  readonly skipped: number;
}

export interface Scheduler {
  /**
   * Says how a service is checked from now on. Targets that were known keep their turns, newcomers are asked as soon as
   * there is room, one every 0.4 ms, and at the latest at their first turn. What runs with another check, or for a
   * target that is gone or moved to another address or port, is broken off and told to nobody.
   */
  set(service: string, job: CheckJob): void;
  remove(service: string): void;
  /** A hint: asks a target now, or again as soon as its running probe has ended. At most ten a second are heeded. */
  checkSoon(service: string, targetId: string): void;
  /** Checks until the signal is aborted, then breaks off what runs and resolves. Rejects only with what `onProbe` threw. */
  run(signal: AbortSignal): Promise<void>;
  figures(): SchedulerFigures;
}

/** A probe that runs. */
interface Run {
  readonly entry: RosterEntry;
  readonly target: Target;
  readonly job: CheckJob;
  readonly place: Place;
  readonly startedAt: number;
  readonly delayMs: number;
  /** One for each probe, so that no signal has thousands of listeners to search. */
  readonly stop: AbortController;
}

const patienceMs = 250;
const [tellLateMs, tellTimelyMs] = [1000, 100];
const longestSleepMs = 60_000;

/**
 * Asks every target of every service at fixed turns, spread evenly over the interval. A target is never asked twice at
 * the same time: turns that pass while a probe runs are left out. When all places are taken, whoever has been due
 * for longest is next. There is one sleeping timer, whatever the number of targets.
 */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock, log, onProbe, concurrency = 256, maxRunning = 4096 } = options;
  const roster = createRoster();
  const places = createPlaces({ concurrency, maxRunning, patienceMs });
  const running = new Map<Run, Promise<void>>();
  const news = createNudge();
  let [isOpen, isLate] = [false, false];
  let sleepsUntil = Number.NEGATIVE_INFINITY;
  let [begun, skipped] = [0, 0];
  let fault: { readonly error: unknown } | undefined;

  function wakeAt(): number {
    const first = roster.queue.first();
    return first === undefined ? Number.POSITIVE_INFINITY : Math.max(first.dueAt, places.roomAt(clock.monotonic()));
  }

  function startDue(): void {
    if (!isOpen) return;
    for (let entry = roster.queue.first(); entry !== undefined; entry = roster.queue.first()) {
      const now = clock.monotonic();
      const place = entry.dueAt <= now ? places.take(now) : undefined;
      if (place === undefined) break;
      roster.queue.remove(entry);
      start(entry, place, now);
    }
    if (wakeAt() < sleepsUntil) news.nudge();
  }

  function start(entry: RosterEntry, place: Place, startedAt: number): void {
    const stop = new AbortController();
    const delayMs = startedAt - entry.dueAt;
    const run = { entry, target: entry.target, job: entry.service.job, place, startedAt, delayMs, stop };
    entry.stop = stop;
    entry.startedAt = startedAt;
    entry.isWantedAgain = false;
    begun += 1;
    tellLateness(delayMs);
    running.set(run, follow(run));
  }

  async function follow(run: Run): Promise<void> {
    const { entry, target, startedAt, delayMs } = run;
    const { check, timeoutMs, retries } = run.job;
    const { signal } = run.stop;
    try {
      const probe = await runProbe(check, target, { timeoutMs, retries, clock }, signal);
      if (!signal.aborted) onProbe(entry.service.name, target, probe, startedAt, delayMs);
    } catch (error) {
      // A probe that is broken off rejects with the signal's reason; all else can only be a bug of our own listener.
      if (!signal.aborted) {
        fault ??= { error };
        news.nudge();
      }
    } finally {
      running.delete(run);
      places.release(run.place);
      entry.stop = undefined;
      skipped += roster.requeue(entry, clock.monotonic());
      startDue();
    }
  }

  function tellLateness(delayMs: number): void {
    if (isLate ? delayMs > tellTimelyMs : delayMs <= tellLateMs) return;
    isLate = !isLate;
    const fields = { delayMs: Math.round(delayMs), running: places.taken(), targets: roster.countTargets() };
    if (isLate) log.warn(fields, 'checks begin late: too many are running, or this process has too little time');
    else log.info(fields, 'checks begin on time again');
  }

  return {
    set(service, job) {
      roster.set(service, job, clock.monotonic());
      startDue();
    },
    remove: (service) => roster.remove(service),
    checkSoon(service, targetId) {
      roster.want(service, targetId, clock.monotonic());
      startDue();
    },
    async run(signal) {
      isOpen = true;
      while (!signal.aborted && fault === undefined) {
        startDue();
        sleepsUntil = wakeAt();
        const restMs = Math.min(longestSleepMs, Math.max(0, sleepsUntil - clock.monotonic()));
        await pause(clock, restMs, news, signal);
        sleepsUntil = Number.NEGATIVE_INFINITY;
      }
      isOpen = false;
      for (const run of running.keys()) run.stop.abort(signal.reason);
      await Promise.all(running.values());
      if (fault !== undefined) throw fault.error;
    },
    figures() {
      const now = clock.monotonic();
      const { queue } = roster;
      return {
        targets: roster.countTargets(),
        running: places.taken(),
        waiting: queue.countDue(now),
        latenessMs: Math.max(0, now - (queue.first()?.dueAt ?? now)),
        begun,
        skipped,
      };
    },
  };
}
