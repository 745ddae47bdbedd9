import type { Probe } from '../model/probe.ts';
import type { Target } from '../model/target.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { heartbeatOf } from '../time/heartbeats.ts';
import { createPlaces, type Place, type Places } from './places.ts';
import { runProbe } from './probing.ts';
import { createRest, longestRestMs } from './rest.ts';
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
  /** Since the start: probes begun, and turns left out because the probe before was still running or waiting. */
  readonly begun: number;
  readonly skipped: number;
}

export interface Scheduler {
  /**
   * Says how a service is checked from now on. Targets that were known keep their turns, newcomers are asked at once,
   * as fast as this process and they themselves allow, and at the latest at their first turn. What runs with another check, or for a
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
  /** Of one that has its first probe before its first turn. */
  readonly firstPlace: Place | undefined;
  readonly startedAt: number;
  readonly delayMs: number;
  /** One for each probe, so that no signal has thousands of listeners to search. */
  readonly stop: AbortController;
}

/** By the clock of what could be heard: a process that has no time to listen must not begin ever more probes. */
const patienceMs = 250;
/** Time between two looks at the newest probes' places. */
const lookMs = 20;
/** How many may have their first probe before their turn: what has a turn comes first, and waits for few others. */
const newcomersAtOnce = 64;
/** How many of those may begin at one wake-up, and after one that came late. */
const newcomersPerWake = { timely: 16, late: 1 };
const [tellLateMs, tellTimelyMs] = [1000, 100];
/** It wakes at multiples of this, so that a thousand probes a second do not make a thousand timers. */
const tickMs = 5;

/**
 * Asks every target of every service at fixed turns, spread evenly over the interval. A target is never asked twice at
 * the same time: turns that pass while a probe runs are left out. When all places are taken, whoever has been due
 * for longest is next. There is one sleeping timer, whatever the number of targets.
 */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock, log, onProbe, concurrency = 256, maxRunning = 4096 } = options;
  const roster = createRoster();
  const places = createPlaces({ concurrency, maxRunning, patienceMs });
  const firstPlaces = createPlaces({ concurrency: newcomersAtOnce, maxRunning, patienceMs });
  const rest = createRest(clock);
  const running = new Map<Run, Promise<void>>();
  let [isOpen, isLate] = [false, false];
  let [mayBegin, begun, skipped] = [newcomersPerWake.timely, 0, 0];
  let fault: { readonly error: unknown } | undefined;

  function wakeAt(): number {
    const now = clock.monotonic();
    const roomAt = instantOf(places, now);
    const turnAt = Math.max(roster.queue.first()?.dueAt ?? Number.POSITIVE_INFINITY, roomAt);
    const isOver = roster.newcomer() === undefined;
    const nextAt = isOver ? turnAt : Math.min(turnAt, Math.max(now + 1, roomAt, instantOf(firstPlaces, now)));
    return Math.ceil(nextAt / tickMs) * tickMs;
  }

  function instantOf({ roomAt }: Places, now: number): number {
    const restMs = roomAt(rest.heardMs()) - rest.heardMs();
    return Number.isFinite(restMs) ? now + Math.min(restMs, lookMs) : restMs;
  }

  function startDue(): void {
    if (!isOpen) return;
    startTurns();
    startNewcomers();
    rest.shorten(wakeAt());
  }

  function startTurns(): void {
    for (let entry = roster.queue.first(); entry !== undefined; entry = roster.queue.first()) {
      const now = clock.monotonic();
      const place = entry.dueAt <= now ? places.take(rest.heardMs()) : undefined;
      if (place === undefined) return;
      start(entry, now, place, undefined);
    }
  }

  function startNewcomers(): void {
    for (let entry = roster.newcomer(); entry !== undefined && mayBegin > 0; entry = roster.newcomer()) {
      const heardMs = rest.heardMs();
      const place = firstPlaces.roomAt(heardMs) > heardMs ? undefined : places.take(heardMs);
      if (place === undefined) return;
      mayBegin -= 1;
      start(entry, clock.monotonic(), place, firstPlaces.take(heardMs));
    }
  }

  function start(entry: RosterEntry, startedAt: number, place: Place, firstPlace: Place | undefined): void {
    const { target, service } = entry;
    const stop = new AbortController();
    const delayMs = Math.max(0, startedAt - entry.dueAt);
    roster.queue.remove(entry);
    entry.stop = stop;
    entry.startedAt = startedAt;
    entry.isWantedAgain = false;
    begun += 1;
    tellLateness(delayMs);
    const run = { entry, target, job: service.job, place, firstPlace, startedAt, delayMs, stop };
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
        rest.shorten(Number.NEGATIVE_INFINITY);
      }
    } finally {
      running.delete(run);
      places.release(run.place);
      if (run.firstPlace !== undefined) firstPlaces.release(run.firstPlace);
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
      const wake = () => rest.shorten(Number.NEGATIVE_INFINITY);
      signal.addEventListener('abort', wake);
      const heartbeat = heartbeatOf(clock, 'checks');
      isOpen = true;
      while (!signal.aborted && fault === undefined) {
        heartbeat.beat(longestRestMs);
        startDue();
        if (signal.aborted) break;
        await rest.until(wakeAt());
        mayBegin = rest.wasLate() ? newcomersPerWake.late : newcomersPerWake.timely;
      }
      isOpen = false;
      heartbeat.end();
      signal.removeEventListener('abort', wake);
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
