import { isDeepStrictEqual } from 'node:util';
import type { Candidate, SelectionRulesOf } from '../../assign/selection.ts';
import { select } from '../../assign/selections.ts';
import type { createCheck } from '../../check/health-checks.ts';
import { createScheduler } from '../../check/scheduler.ts';
import type { ServiceConfig } from '../../config/schema.ts';
import type { Probe } from '../../model/probe.ts';
import { endpointOf, servingWeight, type TakenSlot } from '../../model/slot.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Target } from '../../model/target.ts';
import { every } from '../../time/every.ts';
import { runTogether } from '../lifecycle.ts';
import type { ProcessParts } from '../process.ts';

/** Milliseconds, smoothed. */
export interface Times {
  readonly connectMs?: number;
  readonly totalMs?: number;
}

/** Orders the targets of services that answer by time: who is the closest differs from machine to machine. */
export interface DnsTimes {
  /** The list that is answered from now on; its targets that serve are asked. */
  watch(snapshot: Snapshot): void;
  /**
   * Ids in the order in which they answer. `undefined` where the service does not go by time, and where all are slower than
   * it allows: then all that serve answer.
   */
  rank(snapshot: Snapshot): readonly string[] | undefined;
  run(signal: AbortSignal): Promise<void>;
}

type TimedRules = SelectionRulesOf<'best-rtt' | 'group-rtt-rr'>;

/** What the newest probe weighs. */
const newest = 0.3;
/** An order changes at most this often. */
const lookMs = 1000;

/**
 * The times after one more probe. One that failed says that this machine does not reach the target, whatever others see: it
 * has no time any more and comes last until it answers again. One that could not be made says nothing.
 */
export function nextTimes(before: Times | undefined, { result, connectMs, totalMs }: Probe): Times | undefined {
  if (result !== 'up') return result === 'unknown' ? before : undefined;
  const smooth = (was: number | undefined, now: number | undefined) =>
    was === undefined || now === undefined ? (now ?? was) : was + (now - was) * newest;
  const [connect, total] = [smooth(before?.connectMs, connectMs), smooth(before?.totalMs, totalMs)];
  return {
    ...(connect === undefined ? {} : { connectMs: connect }),
    ...(total === undefined ? {} : { totalMs: total }),
  };
}

function timedRules({ select: rules }: ServiceConfig): TimedRules | undefined {
  return rules.kind === 'best-rtt' || rules.kind === 'group-rtt-rr' ? rules : undefined;
}

const servingOf = ({ slots }: Snapshot) =>
  slots.filter((slot): slot is TakenSlot => slot.state === 'taken' && servingWeight(slot) > 0);

const keyOf = (target: Target) => `${target.id} ${endpointOf(target)}`;

/** Ids in the order of the selection. Turns are taken by the responder, so the order does not depend on them. */
export function rankOf(
  rules: TimedRules,
  snapshot: Snapshot,
  times: ReadonlyMap<string, Times>,
): readonly string[] | undefined {
  const candidates = servingOf(snapshot).map(({ target, weight }): Candidate => {
    return { id: target.id, weight, ...times.get(keyOf(target)) };
  });
  const { picked } = select(rules, candidates, {}, 0);
  return picked.length === 0 ? undefined : picked.map(({ id }) => id);
}

interface Timed {
  readonly name: string;
  readonly rules: TimedRules;
  times: Map<string, Times>;
  snapshot?: Snapshot;
  /** As it was asked for last. */
  told?: readonly string[] | undefined;
  isNew: boolean;
}

/**
 * Asks the targets with the service's own check, from here: in a process that is a server as well they are asked twice,
 * since roles meet in the store only, and what a server sees there is not what a responder elsewhere would see.
 * `onOrder` is called when the order of a service is another one than `rank` gave last.
 */
export function createDnsTimes(
  parts: Pick<ProcessParts, 'config' | 'clock' | 'log' | 'closers'>,
  services: readonly ServiceConfig[],
  makeCheck: typeof createCheck,
  onOrder: (service: string) => void,
): DnsTimes {
  const { config, clock, log, closers } = parts;
  const timed = new Map<string, Timed>();
  const jobs = new Map<string, (targets: readonly Target[]) => void>();
  const scheduler = createScheduler({
    clock,
    log,
    concurrency: config.checks.concurrency,
    onProbe(service, target, probe) {
      const one = timed.get(service);
      if (one === undefined) return;
      const times = nextTimes(one.times.get(keyOf(target)), probe);
      if (times === undefined) one.times.delete(keyOf(target));
      else one.times.set(keyOf(target), times);
      one.isNew = true;
    },
  });
  for (const service of services) {
    const rules = timedRules(service);
    const { name, domain, check: options } = service;
    if (rules === undefined) continue;
    timed.set(name, { name, rules, times: new Map(), isNew: false });
    if (options === undefined) continue;
    const check = makeCheck(options, { service: name, domain, clock });
    closers.add(`the check of service "${name}" for DNS`, () => check.close?.());
    const { intervalSeconds, timeoutSeconds, retries } = options;
    const plan = { check, intervalMs: intervalSeconds * 1000, timeoutMs: timeoutSeconds * 1000, retries };
    jobs.set(name, (targets) => scheduler.set(name, { ...plan, targets }));
  }

  async function look(): Promise<void> {
    for (const { name, rules, times, snapshot, told, isNew } of timed.values()) {
      if (snapshot === undefined || !isNew) continue;
      if (!isDeepStrictEqual(rankOf(rules, snapshot, times), told)) onOrder(name);
    }
    for (const one of timed.values()) one.isNew = false;
  }

  return {
    watch(snapshot) {
      const one = timed.get(snapshot.service);
      if (one === undefined) return;
      const targets = servingOf(snapshot).map(({ target }) => target);
      const keys = new Set(targets.map(keyOf));
      one.snapshot = snapshot;
      one.times = new Map([...one.times].filter(([key]) => keys.has(key)));
      jobs.get(snapshot.service)?.(targets);
    },
    rank(snapshot) {
      const one = timed.get(snapshot.service);
      if (one === undefined) return undefined;
      one.told = rankOf(one.rules, snapshot, one.times);
      return one.told;
    },
    run: (signal) =>
      runTogether(
        [scheduler.run, (inner) => every({ name: 'times of DNS', intervalMs: lookMs, clock }, look, inner)],
        signal,
      ),
  };
}
