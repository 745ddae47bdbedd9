import { type TargetStatistics, withProbe } from '../../check/statistics.ts';
import { type Health, type HealthRules, nextHealth } from '../../judge/health.ts';
import { restoredHealth, voteOf } from '../../judge/vote.ts';
import type { Ballot, Vote } from '../../model/ballot.ts';
import type { Probe } from '../../model/probe.ts';
import { endpointOf } from '../../model/slot.ts';
import type { Target } from '../../model/target.ts';
import type { Clock } from '../../time/clock.ts';

/** What this process thinks of one target, and what it saw of it. */
export interface Opinion {
  readonly target: Target;
  readonly health?: Health;
  readonly vote?: Vote;
  /** Left from before a restart, and not told again yet. */
  readonly former?: Vote;
  readonly statistics?: TargetStatistics;
}

/** This observer's opinions about the targets of all services that it watches. */
export interface Opinions {
  /** Says which targets a service has from now on; the opinion of one that is gone, or moved to another address, is dropped. */
  watch(service: string, targets: readonly Target[], rules: HealthRules): void;
  /**
   * Takes one probe in. Returns true when the vote that follows from it is another one than before.
   *
   * @param ageMs - How long ago it was made; probes of one target come in their order.
   */
  note(service: string, target: Target, probe: Probe, ageMs?: number): boolean;
  /** Drops every service that is not among these, with what it thought of it. */
  keep(services: readonly string[]): void;
  /** Starts from the votes that this observer left before its restart; they are told again once each target was asked. */
  restore(ballot: Ballot): void;
  /** Starts from the statistics that were kept; what belongs to targets that were gone for a month is forgotten. */
  recall(service: string, statistics: ReadonlyMap<string, TargetStatistics>): void;
  of(service: string): readonly Opinion[];
  /** Everything that is to be kept: also of targets that the sources have not reported since the start. */
  statistics(service: string): ReadonlyMap<string, TargetStatistics>;
  /** Every vote as it stands. */
  ballot(observer: string): Ballot;
}

/** For so long statistics wait for their target to come back. */
const forgottenMs = 30 * 24 * 3_600_000;

interface Watched {
  rules: HealthRules;
  readonly opinions: Map<string, Opinion>;
}

/** Knows of no service at first. */
export function createOpinions(clock: Clock): Opinions {
  const services = new Map<string, Watched>();
  const former = new Map<string, Map<string, Vote>>();
  const recalled = new Map<string, Map<string, TargetStatistics>>();
  const moment = (ageMs = 0) => ({ wall: clock.now() - ageMs, monotonic: clock.monotonic() - ageMs });
  const isSamePlace = (one: Target, other: Target) => endpointOf(one) === endpointOf(other);

  /** What was kept is used once: a target that leaves and returns begins anew. */
  const begin = (service: string, target: Target): Opinion => {
    const left = former.get(service)?.get(target.id);
    const vote = left?.about === undefined || left.about === endpointOf(target) ? left : undefined;
    const statistics = recalled.get(service)?.get(target.id);
    former.get(service)?.delete(target.id);
    recalled.get(service)?.delete(target.id);
    return {
      target,
      ...(vote ? { former: vote, health: restoredHealth(vote, moment()) } : {}),
      ...(statistics ? { statistics } : {}),
    };
  };
  return {
    watch(service, targets, rules) {
      const watched = services.get(service) ?? { rules, opinions: new Map<string, Opinion>() };
      services.set(service, watched);
      watched.rules = rules;
      const ids = new Set(targets.map(({ id }) => id));
      for (const id of watched.opinions.keys()) if (!ids.has(id)) watched.opinions.delete(id);
      for (const target of targets) {
        const known = watched.opinions.get(target.id);
        if (known && isSamePlace(known.target, target)) watched.opinions.set(target.id, { ...known, target });
        else watched.opinions.set(target.id, known ? { target } : begin(service, target));
      }
    },
    note(service, target, probe, ageMs) {
      const watched = services.get(service);
      const before = watched?.opinions.get(target.id);
      if (!watched || !before || !isSamePlace(before.target, target)) return false;
      const at = moment(ageMs);
      const health = nextHealth(before.health, probe, at.monotonic, watched.rules);
      // A first probe that could not be asked leaves an opinion from before the restart untold.
      const isTold = before.vote !== undefined || probe.result !== 'unknown';
      const vote = isTold ? voteOf(health, before.vote ?? before.former, at, endpointOf(target)) : undefined;
      const statistics = withProbe(before.statistics, probe, at.wall);
      watched.opinions.set(target.id, { ...before, health, ...(vote ? { vote } : {}), statistics });
      return vote !== before.vote;
    },
    keep(names) {
      for (const service of services.keys()) if (!names.includes(service)) services.delete(service);
    },
    restore(ballot) {
      for (const [service, votes] of ballot.services) former.set(service, new Map(votes));
    },
    recall(service, statistics) {
      const since = clock.now() - forgottenMs;
      recalled.set(service, new Map([...statistics].filter(([, { lastAt }]) => lastAt >= since)));
    },
    of: (service) => [...(services.get(service)?.opinions.values() ?? [])],
    statistics(service) {
      const kept = new Map(recalled.get(service));
      for (const [id, { statistics }] of services.get(service)?.opinions ?? [])
        if (statistics) kept.set(id, statistics);
      return kept;
    },
    ballot: (observer) => ({
      observer,
      services: new Map(
        [...services].map(([service, { opinions }]) => [
          service,
          new Map([...opinions].flatMap(([id, { vote }]) => (vote ? [[id, vote] as const] : []))),
        ]),
      ),
    }),
  };
}
