import type { Role } from '../model/probe.ts';
import type { PrimaryHistory } from '../model/snapshot.ts';

/** What is known of one target of a group that has one writer. */
export interface RoleCandidate {
  readonly id: string;
  /** Its verdict is up, and no operator has taken it out. */
  readonly isUp: boolean;
  /** What it says it is; absent where it says nothing, or nothing any more. */
  readonly role?: Role | undefined;
  /** Generation of the primary, as its last answer gave it. */
  readonly timeline?: number | undefined;
  /** It is published as up now. */
  readonly isCurrent: boolean;
}

export interface PrimaryChoice {
  /** Id of the one primary that may be published. */
  readonly kept?: string;
  /** Primaries that may not be published, by id, with the reason as a sentence (code `second-primary`). */
  readonly losers: ReadonlyMap<string, string>;
  /** To be handed in next time. */
  readonly history: PrimaryHistory;
}

/**
 * Keeps at most one of the targets that call themselves primary; replicas and targets without a role are not its
 * business. Which one:
 *
 * 1. Only the newest timeline counts: the highest that any primary shows or ever showed, also one that is not up yet, for
 *    it proves that the older one was left behind. PostgreSQL raises it with every promotion (manual of 15, 26.3.5 and
 *    27.3), so an old primary that comes back has a lower one, and stays out even while the new one is down. A primary
 *    that shows no timeline counts as older than any that does, unless it is the one that was kept last. One that is
 *    older loses also while it is down: no panic may bring it back.
 * 2. Of equals the published one stays, else the one kept last: a tie is no reason to move writers.
 * 3. An equal of the one kept last takes its place only when that one has left the sources or has become a replica.
 *    While it may be back any moment, the other is no successor, which would have a higher timeline, but its rival.
 * 4. Equals without any history: none. Nothing was served yet that could get lost, whoever starts hsdo is there to look,
 *    and a guess would send writes to the wrong one half of the time. Lists that are published already and hold several
 *    are the exception: one of them, the lowest id, is better than both.
 *
 * 5. The one kept last is taken for a primary while nobody tells what it is: an earlier verdict may still call it up,
 *    such as after a restart of all observers, and then two would serve as soon as its successor is up.
 *
 * Pure; the order of the candidates means nothing, and a second call with its own result changes nothing.
 */
export function onePrimary(candidates: readonly RoleCandidate[], history: PrimaryHistory): PrimaryChoice {
  const primaries = candidates.filter(
    ({ id, role }) => (role ?? (id === history.lastId ? 'primary' : 'replica')) === 'primary',
  );
  const newest = highest([...primaries.map((candidate) => timelineOf(candidate, history)), history.highestTimeline]);
  const rising = primaries.filter(({ isUp }) => isUp);
  const equals = rising.filter((candidate) => timelineOf(candidate, history) === newest);
  const kept = oneOf(equals, candidates, newest, history);
  // By what is known from now on: who was the one kept last, and is not any more, is not believed to have its timeline.
  const after = nextHistory(kept, newest, history);
  const losers = primaries
    .filter((one) => one !== kept && (one.isUp || timelineOf(one, after) !== newest))
    .map((candidate) => [candidate.id, whyNot(candidate, kept, newest, after)] as const);
  return {
    ...(kept === undefined ? {} : { kept: kept.id }),
    losers: new Map(losers),
    history: after,
  };
}

function timelineOf({ id, timeline }: RoleCandidate, history: PrimaryHistory): number | undefined {
  return timeline ?? (id === history.lastId ? history.highestTimeline : undefined);
}

function highest(timelines: readonly (number | undefined)[]): number | undefined {
  const known = timelines.filter((timeline) => timeline !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** A newer timeline than any before leaves the one kept last behind, also while nobody may take its place yet. */
function nextHistory(
  kept: RoleCandidate | undefined,
  newest: number | undefined,
  before: PrimaryHistory,
): PrimaryHistory {
  if (kept === undefined && newest === before.highestTimeline) return before;
  return {
    ...(newest === undefined ? {} : { highestTimeline: newest }),
    ...(kept === undefined ? {} : { lastId: kept.id }),
  };
}

/** Chooses among primaries of the newest timeline, all of them up: rules 2 to 4. */
function oneOf(
  equals: readonly RoleCandidate[],
  all: readonly RoleCandidate[],
  newest: number | undefined,
  history: PrimaryHistory,
): RoleCandidate | undefined {
  const last = equals.find(({ id }) => id === history.lastId);
  const published = equals.filter(({ isCurrent }) => isCurrent);
  if (published.length > 0) return last?.isCurrent === true ? last : lowestId(published);
  if (last !== undefined) return last;
  if (equals.length !== 1 || mayReturn(all, newest, history)) return undefined;
  return equals[0];
}

/** True while the one kept last is known, has this very timeline and was not seen to follow another one. */
function mayReturn(all: readonly RoleCandidate[], newest: number | undefined, history: PrimaryHistory): boolean {
  if (newest === undefined || newest !== history.highestTimeline) return false;
  const last = all.find(({ id }) => id === history.lastId);
  return last !== undefined && last.role !== 'replica';
}

function lowestId(candidates: readonly RoleCandidate[]): RoleCandidate | undefined {
  return candidates.reduce<RoleCandidate | undefined>(
    (lowest, candidate) => (lowest === undefined || candidate.id < lowest.id ? candidate : lowest),
    undefined,
  );
}

function whyNot(
  candidate: RoleCandidate,
  kept: RoleCandidate | undefined,
  newest: number | undefined,
  history: PrimaryHistory,
): string {
  const own = timelineOf(candidate, history);
  if (own !== newest) {
    const shown = own === undefined ? 'shows no timeline' : `has timeline ${own}`;
    return `A primary that ${shown}, while timeline ${newest} is known${by(kept?.id)}; expected the newest one`;
  }
  const timeline = own === undefined ? 'no timeline' : `the same timeline ${own}`;
  if (kept !== undefined) return `A second primary with ${timeline}; "${kept.id}" was there first`;
  return history.lastId === undefined
    ? `One of several primaries with ${timeline}, and nothing tells which is the right one; expected one primary`
    : `A primary with ${timeline} as "${history.lastId}", which is not up but known; expected a newer timeline`;
}

function by(id: string | undefined): string {
  return id === undefined ? '' : ` (of "${id}")`;
}
