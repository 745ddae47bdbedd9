import { endpointOf } from '../model/slot.ts';
import type { Target } from '../model/target.ts';
import { createDueQueue, type Due, type DueQueue } from './due-queue.ts';
import type { HealthCheck } from './health-check.ts';
import { shareOf, turnAfter, turnsUntil } from './turns.ts';

/** How a service is checked. */
export interface CheckJob {
  readonly check: HealthCheck;
  readonly targets: readonly Target[];
  /** From one start to the next. */
  readonly intervalMs: number;
  /** The longest that one try may take. */
  readonly timeoutMs: number;
  /** Further tries, at once, after one that timed out. */
  readonly retries: number;
}

export interface RosterService {
  readonly name: string;
  job: CheckJob;
  entries: ReadonlyMap<string, RosterEntry>;
}

/** One target of one service. It waits in the queue, or its probe is running. */
export interface RosterEntry extends Due {
  readonly service: RosterService;
  /** Where in the interval its turns lie, 0 to below 1. */
  readonly share: number;
  target: Target;
  /** Breaks off the running probe; absent while none runs. */
  stop: AbortController | undefined;
  startedAt: number;
  /** False once the target left the service. */
  isKnown: boolean;
  /** Its next probe is due at once, not at its next turn. */
  isWantedAgain: boolean;
}

/** Who is to be asked, and when. All instants are milliseconds on one clock that never jumps. */
export interface Roster {
  readonly queue: DueQueue<RosterEntry>;
  /** See `Scheduler.set`. */
  set(name: string, job: CheckJob, now: number): void;
  remove(name: string): void;
  /** Makes a target due now, or as soon as its running probe has ended. */
  want(name: string, targetId: string, now: number): void;
  /** The next of those that never had a probe, until it gets one. Its due time is its first turn. */
  newcomer(): RosterEntry | undefined;
  /** Puts an entry whose probe has ended back into the queue; returns how many turns it has missed for good. */
  requeue(entry: RosterEntry, now: number): number;
  countTargets(): number;
}

/** Least time from one start to another that was asked for. */
const leastGapMs = 100;
/** A turn missed by at most this part of the interval is made up for, so that a time-out as long as the interval costs no turn. */
const madeUpShare = 0.1;

export function createRoster(): Roster {
  const services = new Map<string, RosterService>();
  const queue = createDueQueue<RosterEntry>();
  /** In the order in which they get their first probe; some had a turn meanwhile, or are gone. */
  let arrivals: RosterEntry[] = [];
  let arrived = 0;

  function soonest({ service, startedAt }: RosterEntry, now: number): number {
    return Math.max(now, startedAt + Math.min(leastGapMs, service.job.intervalMs));
  }

  function hasten(entry: RosterEntry, dueAt: number): void {
    if (entry.stop !== undefined || dueAt >= entry.dueAt) return;
    entry.dueAt = dueAt;
    queue.moved(entry);
  }

  function keep(entry: RosterEntry, target: Target, before: CheckJob, now: number): void {
    const { intervalMs, check } = entry.service.job;
    entry.target = target;
    if (before.intervalMs !== intervalMs) hasten(entry, turnAfter(entry.share, intervalMs, now));
    if (before.check === check || entry.stop === undefined) return;
    entry.isWantedAgain = true;
    entry.stop.abort();
  }

  function drop(entry: RosterEntry): void {
    entry.isKnown = false;
    queue.remove(entry);
    entry.stop?.abort();
  }

  function create(service: RosterService, target: Target, now: number): RosterEntry {
    const share = shareOf(service.name, target.id);
    const state = { place: -1, stop: undefined, startedAt: Number.NEGATIVE_INFINITY };
    const dueAt = turnAfter(share, service.job.intervalMs, now);
    return { service, target, share, dueAt, ...state, isKnown: true, isWantedAgain: false };
  }

  /** Those whose turn is farthest away begin, so that a first probe is rarely just before the second. */
  function admit(newcomers: readonly RosterEntry[]): void {
    for (const entry of newcomers) queue.add(entry);
    arrivals = [...arrivals.slice(arrived), ...[...newcomers].sort((a, b) => b.dueAt - a.dueAt)];
    arrived = 0;
  }

  return {
    queue,
    set(name, job, now) {
      const service = services.get(name) ?? { name, job, entries: new Map<string, RosterEntry>() };
      const [before, left] = [service.job, new Map(service.entries)];
      const [entries, newcomers] = [new Map<string, RosterEntry>(), [] as RosterEntry[]];
      service.job = job;
      for (const target of job.targets) {
        const known = left.get(target.id);
        const isSame = known !== undefined && endpointOf(known.target) === endpointOf(target);
        const entry = isSame ? known : create(service, target, now);
        if (entries.has(target.id)) continue;
        entries.set(target.id, entry);
        if (!isSame) {
          newcomers.push(entry);
          continue;
        }
        left.delete(target.id);
        keep(entry, target, before, now);
      }
      for (const entry of left.values()) drop(entry);
      service.entries = entries;
      services.set(name, service);
      admit(newcomers);
    },
    remove(name) {
      for (const entry of services.get(name)?.entries.values() ?? []) drop(entry);
      services.delete(name);
    },
    want(name, targetId, now) {
      const entry = services.get(name)?.entries.get(targetId);
      if (entry?.stop !== undefined) entry.isWantedAgain = true;
      else if (entry !== undefined) hasten(entry, soonest(entry, now));
    },
    newcomer() {
      for (let entry = arrivals[arrived]; entry !== undefined; entry = arrivals[arrived]) {
        if (entry.isKnown && entry.startedAt === Number.NEGATIVE_INFINITY) return entry;
        arrived += 1;
      }
      if (arrived > 0) arrivals = [];
      arrived = 0;
      return undefined;
    },
    requeue(entry, now) {
      if (!entry.isKnown) return 0;
      const { share, startedAt, dueAt } = entry;
      const { intervalMs } = entry.service.job;
      // A first probe that ran into the first turn has done its work already.
      const isEarly = startedAt < dueAt;
      const from = isEarly ? now : Math.max(startedAt, now - intervalMs * madeUpShare);
      entry.dueAt = entry.isWantedAgain ? soonest(entry, now) : turnAfter(share, intervalMs, from);
      queue.add(entry);
      return isEarly ? 0 : turnsUntil(share, intervalMs, from) - turnsUntil(share, intervalMs, dueAt);
    },
    countTargets: () => [...services.values()].reduce((sum, { entries }) => sum + entries.size, 0),
  };
}
