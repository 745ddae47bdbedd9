import { type Ballot, isSameOpinion, isSameVote, type Vote, type Votes } from '../model/ballot.ts';
import type { Change } from '../store/store.ts';
import { encodePart, type ObserverRecord, type Part, type PartVotes, partKey, partOf } from './ballot-format.ts';

/** Votes by service. */
export type Services = ReadonlyMap<string, Votes>;

const noVotes: Votes = new Map();

/** Parts whose content moved: in what decides, or in measured times alone. */
export interface Marks {
  readonly dirty: Set<number>;
  readonly stale: Set<number>;
}

/** Marks the parts in which two states of a ballot differ. */
export function markDifferences(before: Services, after: Services, parts: number, { dirty, stale }: Marks): void {
  for (const service of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(service) ?? noVotes, after.get(service) ?? noVotes];
    if (was === is) continue;
    for (const [id, vote] of is) {
      const old = was.get(id);
      if (old === vote) continue;
      if (old === undefined || !isSameOpinion(old, vote)) dirty.add(partOf(service, id, parts));
      else if (!isSameVote(old, vote)) stale.add(partOf(service, id, parts));
    }
    for (const id of was.keys()) if (!is.has(id)) dirty.add(partOf(service, id, parts));
  }
}

/** All votes, sorted into their parts. */
function splitIntoParts(services: Services, parts: number): readonly PartVotes[] {
  const split = Array.from({ length: parts }, () => new Map<string, Map<string, Vote>>());
  for (const [service, votes] of services) {
    for (const [id, vote] of votes) {
      const part = split[partOf(service, id, parts)];
      const known = part?.get(service) ?? new Map<string, Vote>();
      part?.set(service, known.set(id, vote));
    }
  }
  return split;
}

/** The parts to be written, and those to be removed that an earlier process left. */
export function partChanges(
  observer: string,
  { run, parts, ballotRevision }: ObserverRecord,
  services: Services,
  moved: ReadonlySet<number>,
  countBefore: number,
): Change[] {
  if (moved.size === 0) return [];
  const split = splitIntoParts(services, parts.length);
  const changes = [...moved].map(
    (n): Change => ({
      op: 'put',
      key: partKey(observer, n),
      value: encodePart(run, ballotRevision, split[n] ?? new Map()),
    }),
  );
  for (let n = parts.length; n < countBefore; n++) changes.push({ op: 'delete', key: partKey(observer, n) });
  return changes;
}

/** True when the part is the one that the observer's record names. */
export function isNamed(part: Part | undefined, { run, parts }: ObserverRecord, n: number): part is Part {
  return part !== undefined && part.run === run && part.revision === parts[n];
}

/**
 * Puts a ballot together from its parts. Votes and whole services that are as they were in `before` stay the same
 * objects; when everything is, so does the ballot.
 */
export function assembleBallot(
  observer: string,
  services: readonly string[],
  parts: readonly Part[],
  before: Ballot | undefined,
): Ballot {
  const assembled = new Map(
    services.map((service) => [service, assembleVotes(service, parts, before?.services.get(service))] as const),
  );
  const isSame =
    before?.services.size === assembled.size &&
    [...assembled].every(([service, votes]) => before.services.get(service) === votes);
  return isSame ? before : { observer, services: assembled };
}

function assembleVotes(service: string, parts: readonly Part[], before: Votes | undefined): Votes {
  const votes = new Map<string, Vote>();
  let isSame = before !== undefined;
  for (const part of parts) {
    for (const [id, vote] of part.votes.get(service) ?? noVotes) {
      const old = before?.get(id);
      const kept = old !== undefined && isSameVote(old, vote) ? old : vote;
      if (kept !== old) isSame = false;
      votes.set(id, kept);
    }
  }
  return isSame && before?.size === votes.size ? before : votes;
}
