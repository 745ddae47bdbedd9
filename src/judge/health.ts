import { isDecided, type Probe, type ProbeCode, type Role } from '../model/probe.ts';

/** When an observer changes its mind about a target. */
export interface HealthRules {
  /** Passes in a row that make a target up. */
  readonly rise: number;
  /** Failures in a row that make a target down. */
  readonly fall: number;
  /** How long a target that goes down again and again must pass before it is up. */
  readonly holdDown: { readonly ms: number; readonly maxMs: number };
}

/** What one observer thinks of one target. All instants are on this observer's monotonic clock, in milliseconds. */
export interface Health {
  /** `undefined` until something is known: then there is no vote. */
  readonly state: 'up' | 'down' | undefined;
  /** Length of the present row of passes or of failures; the other one is 0. */
  readonly passes: number;
  readonly fails: number;
  /** When the state began, or the observing while nothing is known. */
  readonly sinceAt: number;
  /** Why it is down, or not up yet; `ok` while up, also over single failures. */
  readonly code: ProbeCode;
  /** The sentence to `code`; empty for what is known from before a restart. */
  readonly message: string;
  /** Smoothed times of the passes since it last went down, milliseconds. */
  readonly connectMs?: number;
  readonly totalMs?: number;
  readonly role?: Role;
  readonly timeline?: number;
  /** When the present row of passes began. */
  readonly passingSinceAt?: number;
  /** Falls in a row between which it was never up for long; 0 for a calm target. */
  readonly flaps: number;
  /** For how long a row of passes must last before it is up again; 0 where `rise` alone counts. */
  readonly holdMs: number;
}

/** Share of a new measurement in the smoothed time: an outlier moves it little, five in a row most of the way. */
const smoothing = 0.25;
/** A target that was up for this long, or for this many times its last hold-down, starts with a clean record. */
const calmMs = 600_000;
const calmHolds = 10;

/**
 * The opinion after one more probe. Pure.
 *
 * | before  | probe                                         | after                                                  |
 * | ------- | --------------------------------------------- | ------------------------------------------------------ |
 * | any     | unknown                                       | as before: neither a yes nor a no                      |
 * | nothing | pass                                          | up at once, so that first results are quick            |
 * | nothing | failure                                       | nothing, until there are `fall` in a row: down         |
 * | up      | failure                                       | up, until there are `fall` in a row: down              |
 * | down    | pass                                          | down, until there are `rise` in a row that lasted as long as the hold-down: up |
 * | any     | not-primary, not-replica, not-master, second-primary | down at once; back by `rise`, without a hold-down |
 *
 * A hold-down follows the second fall by noise and every further one, each twice as long as the one before up to the maximum; a
 * target that was up for ten minutes, and for ten times its last hold-down, starts anew. Role and timeline are taken
 * from every probe that tells them, and outlive single failures of a target that is up; what is down and says nothing has
 * none, for they would stand against whoever took its place.
 *
 * @param nowMs - Monotonic milliseconds at which the probe ended.
 */
export function nextHealth(before: Health | undefined, probe: Probe, nowMs: number, rules: HealthRules): Health {
  const known = before ?? blank(probe, nowMs);
  if (probe.result === 'unknown') {
    const isFirst = known.state === undefined && known.fails === 0;
    return isFirst ? { ...known, code: probe.code, message: probe.message } : known;
  }
  return probe.result === 'up' ? afterPass(known, probe, nowMs, rules) : afterFailure(known, probe, nowMs, rules);
}

function blank({ code, message }: Probe, nowMs: number): Health {
  return { state: undefined, passes: 0, fails: 0, sinceAt: nowMs, code, message, flaps: 0, holdMs: 0 };
}

function afterPass(known: Health, probe: Probe, nowMs: number, rules: HealthRules): Health {
  const passes = known.passes + 1;
  const passingSinceAt = known.passingSinceAt ?? nowMs;
  const hasRisen = passes >= rules.rise && nowMs - passingSinceAt >= known.holdMs;
  const isUp = known.state !== 'down' || hasRisen;
  // Times from before the target went down say nothing about it now.
  const earlier = known.state === 'up' || known.passes > 0 ? known : undefined;
  const connectMs = smooth(earlier?.connectMs, probe.connectMs);
  const totalMs = smooth(earlier?.totalMs, probe.totalMs);
  return {
    state: isUp ? 'up' : 'down',
    passes,
    fails: 0,
    sinceAt: isUp && known.state !== 'up' ? nowMs : known.sinceAt,
    code: isUp ? 'ok' : known.code,
    message: isUp ? probe.message : known.message,
    ...(connectMs === undefined ? {} : { connectMs }),
    ...(totalMs === undefined ? {} : { totalMs }),
    ...(probe.role === undefined ? {} : { role: probe.role }),
    ...(probe.timeline === undefined ? {} : { timeline: probe.timeline }),
    passingSinceAt,
    flaps: known.flaps,
    holdMs: isUp ? 0 : known.holdMs,
  };
}

function afterFailure(known: Health, probe: Probe, nowMs: number, rules: HealthRules): Health {
  const { passingSinceAt: _ended, role, timeline, ...rest } = known;
  const fails = known.fails + 1;
  const isNowDown = isDecided(probe.code) || fails >= rules.fall || known.state === 'down';
  const isFall = isNowDown && known.state !== 'down';
  const tells = known.state !== 'up' || isNowDown;
  const isSilent = isNowDown && probe.role === undefined;
  const newRole = isSilent ? undefined : (probe.role ?? role);
  const newTimeline = isSilent ? undefined : (probe.timeline ?? timeline);
  return {
    ...rest,
    state: isNowDown ? 'down' : known.state,
    passes: 0,
    fails,
    sinceAt: isFall ? nowMs : known.sinceAt,
    code: tells ? probe.code : known.code,
    message: tells ? probe.message : known.message,
    ...(newRole === undefined ? {} : { role: newRole }),
    ...(newTimeline === undefined ? {} : { timeline: newTimeline }),
    ...record(known, probe, isFall, nowMs, rules),
  };
}

/** What a failure adds to the target's record of falls. */
function record(known: Health, probe: Probe, isFall: boolean, nowMs: number, rules: HealthRules) {
  // A clear answer is no flapping, and a hold-down would keep the next master out after it was elected.
  if (isDecided(probe.code)) return { flaps: known.flaps, holdMs: 0 };
  if (!isFall || known.state === undefined) return { flaps: known.flaps, holdMs: known.holdMs };
  const calmAfterMs = Math.max(calmMs, calmHolds * holdDown(known.flaps, rules));
  const flaps = nowMs - known.sinceAt >= calmAfterMs ? 1 : known.flaps + 1;
  return { flaps, holdMs: holdDown(flaps, rules) };
}

/** The hold-down after so many falls in a row: none, then `ms`, then twice as much each time, up to `maxMs`. */
function holdDown(flaps: number, { holdDown: { ms, maxMs } }: HealthRules): number {
  return flaps < 2 || ms === 0 ? 0 : Math.min(maxMs, ms * 2 ** (flaps - 2));
}

function smooth(before: number | undefined, measured: number | undefined): number | undefined {
  if (before === undefined || measured === undefined) return measured ?? before;
  return before + smoothing * (measured - before);
}
