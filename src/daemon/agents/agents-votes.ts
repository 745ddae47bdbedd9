import type { AgentReport } from '../../agent/wire.ts';
import type { HealthRules } from '../../judge/health.ts';
import type { Ballot, Vote } from '../../model/ballot.ts';
import { endpointOf } from '../../model/slot.ts';
import type { Target } from '../../model/target.ts';
import type { Clock } from '../../time/clock.ts';
import { createOpinions } from '../observing/opinions.ts';
import { probeOfReport } from './agents-probe.ts';
import type { Roster } from './agents-roster.ts';

/** The last report of one agent on one target. */
export interface LastReport {
  readonly target: Target;
  /** As the agent wrote it. */
  readonly timestamp: string;
  /** Monotonic milliseconds of this process. */
  readonly checkedAt: number;
  readonly status: 'ok' | 'fail';
  readonly latencyMs: number | null;
  /** The beginning of what the agent wrote. */
  readonly reason: string | null;
  /** Older than the service counts reports for; its vote is missing. */
  readonly isExpired: boolean;
}

/** What one agent reports, as the opinions and votes of an observer. Waits for nothing and writes nothing. */
export interface AgentVotes {
  /** Takes a report in that was made `ageMs` ago. `isNews`: the votes differ from before. */
  take(roster: Roster, target: Target, report: AgentReport, ageMs: number): { isLate: boolean; isNews: boolean };
  /** Lets go what is too old by now; true when the votes or the services differ from before. */
  sweep(): boolean;
  /** Every vote that counts now, of every service that the agent is registered for. */
  ballot(): Ballot;
  /** Services that it reports on. */
  rosters(): readonly Roster[];
  /** True while it reports on one of them. */
  isHeard(): boolean;
  /** When the next vote runs out, monotonic; Infinity without any. */
  nextExpiryAt(): number;
  reports(service: string): readonly LastReport[];
  /** Targets of the services that it reports on: as many votes as it may have. */
  count(): number;
}

interface Watched {
  readonly roster: Roster;
  readonly freshMs: number;
  readonly reports: Map<string, LastReport>;
  targets: readonly Target[];
  /** When the newest report was made, monotonic. */
  heardAt: number;
}

/** Much more than a sentence, and little enough for all the reports that a server keeps. */
const mostReason = 200;

function lastOf({ timestamp, status, latency_ms: latencyMs, reason }: AgentReport) {
  return { timestamp, status, latencyMs: latencyMs ?? null, reason: reason?.slice(0, mostReason) ?? null };
}

function rulesOf({ service: { check } }: Roster['checked']): HealthRules {
  const { rise, fall, holdDown } = check;
  return { rise, fall, holdDown: { ms: holdDown.seconds * 1000, maxMs: holdDown.maxSeconds * 1000 } };
}

/**
 * @param former - What stands under the agent's name in the store, when this process hears of it first. Its votes stand
 *   until they are told again, as long as reports count: else a restart of the server would make them missing.
 */
export function createAgentVotes(
  id: string,
  rosters: ReadonlyMap<string, Roster>,
  former: Ballot | undefined,
  clock: Clock,
): AgentVotes {
  const opinions = createOpinions(clock);
  const startedAt = clock.monotonic();
  const watched = new Map<string, Watched>();

  /** Brings the opinions up to what the sources report; those named begin anew. */
  const watch = (one: Watched, anew: ReadonlySet<string> = new Set()): boolean => {
    const { name } = one.roster.checked.service;
    const targets = one.roster.targets();
    if (one.targets === targets && anew.size === 0) return false;
    const rules = rulesOf(one.roster.checked);
    if (anew.size > 0)
      opinions.watch(
        name,
        targets.filter((target) => !anew.has(target.id)),
        rules,
      );
    opinions.watch(name, targets, rules);
    one.targets = targets;
    const places = new Map(targets.map((target) => [target.id, endpointOf(target)]));
    for (const [key, report] of one.reports) {
      if (places.get(key) !== endpointOf(report.target)) one.reports.delete(key);
    }
    return true;
  };
  const begin = (roster: Roster): Watched => {
    const { name, agents } = roster.checked.service;
    const freshMs = agents.freshSeconds * 1000;
    const one: Watched = { roster, freshMs, reports: new Map(), targets: [], heardAt: startedAt };
    watched.set(name, one);
    watch(one);
    return one;
  };
  const isOld = ({ freshMs }: Watched, at: number) => clock.monotonic() - at >= freshMs;

  if (former) opinions.restore(former);
  for (const name of former?.services.keys() ?? []) {
    const roster = rosters.get(name);
    if (roster) begin(roster);
  }
  return {
    take(roster, target, report, ageMs) {
      const { name, check, agents } = roster.checked.service;
      const checkedAt = clock.monotonic() - ageMs;
      const isNew = !watched.has(name);
      const before = watched.get(name)?.reports.get(target.id);
      const isKnown = before !== undefined && (before.timestamp === report.timestamp || before.checkedAt >= checkedAt);
      if (isKnown || ageMs >= agents.freshSeconds * 1000) return { isLate: true, isNews: false };
      const one = watched.get(name) ?? begin(roster);
      // What was said before a silence is no start: the first report after it stands for itself.
      const isLeft = before === undefined && former?.services.get(name)?.has(target.id) === true;
      const saidAt = isLeft ? startedAt : before?.checkedAt;
      watch(one, new Set(saidAt !== undefined && isOld(one, saidAt) ? [target.id] : []));
      one.reports.set(target.id, { target, checkedAt, ...lastOf(report), isExpired: false });
      one.heardAt = Math.max(one.heardAt, checkedAt);
      const isNews = opinions.note(name, target, probeOfReport(report, check.kind), ageMs);
      return { isLate: false, isNews: isNews || isNew };
    },
    sweep() {
      let isNews = false;
      for (const [name, one] of watched) {
        const expired = [...one.reports].filter(([, last]) => !last.isExpired && isOld(one, last.checkedAt));
        for (const [key, last] of expired) one.reports.set(key, { ...last, isExpired: true });
        if (watch(one, new Set(expired.map(([key]) => key)))) isNews = true;
        const { leave } = one.roster.checked.service.agents;
        if (leave === 'timeout' && isOld(one, one.heardAt)) isNews = watched.delete(name);
      }
      return isNews;
    },
    ballot: () => ({
      observer: id,
      services: new Map(
        [...watched].map(([name, one]) => {
          const isStart = !isOld(one, startedAt);
          const votes = opinions.of(name).flatMap(({ target, vote, former: left }): (readonly [string, Vote])[] => {
            const last = one.reports.get(target.id);
            const isTold = last !== undefined && !last.isExpired;
            const counts = isTold ? vote : isStart && last === undefined ? left : undefined;
            return counts === undefined ? [] : [[target.id, counts]];
          });
          return [name, new Map(votes)];
        }),
      ),
    }),
    rosters: () => [...watched.values()].map(({ roster }) => roster),
    isHeard: () => [...watched.values()].some((one) => !isOld(one, one.heardAt)),
    nextExpiryAt() {
      const ends = [...watched.values()].flatMap((one) => [
        ...[one.heardAt, startedAt].filter((at) => !isOld(one, at)).map((at) => at + one.freshMs),
        ...[...one.reports.values()].flatMap((last) => (last.isExpired ? [] : [last.checkedAt + one.freshMs])),
      ]);
      return ends.reduce((least, end) => Math.min(least, end), Number.POSITIVE_INFINITY);
    },
    reports: (service) => [...(watched.get(service)?.reports.values() ?? [])],
    count: () => [...watched.values()].reduce((sum, { targets }) => sum + targets.length, 0),
  };
}
