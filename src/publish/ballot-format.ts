import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Vote, Votes } from '../model/ballot.ts';
import { HsdoError } from '../model/error.ts';
import { probeCodes } from '../model/probe.ts';
import type { Change, Version } from '../store/store.ts';
import { encodeRecord, parseRecord } from './snapshot-format.ts';

// What an observer says lies in two kinds of records. `observer/<id>` is small and moves with every heartbeat:
// who it is, and which parts of its ballot are valid. `ballot/<id>/<n>` holds the votes, spread over parts by a hash of
// service and target, so that one changed vote rewrites (and lets readers parse) one part and not thousands of votes.

export const observerRoot = 'observer/';
/** Everything that is worth a new round lies below this; heartbeats do not. */
export const ballotRoot = 'ballot/';

export const observerKey = (observer: string) => observerRoot + encodeURIComponent(observer);
export const partsPrefix = (observer: string) => `${ballotRoot}${encodeURIComponent(observer)}/`;
export const partKey = (observer: string, n: number) => partsPrefix(observer) + String(n).padStart(2, '0');

/**
 * Removes an observer with everything that it said.
 *
 * @param expect - The version that its record must have; whatever is there when left out.
 */
export function removalOf(observer: string, expect?: Version): readonly Change[] {
  const record: Change = { op: 'delete', key: observerKey(observer), ...(expect === undefined ? {} : { expect }) };
  return [record, ...Array.from({ length: maxParts }, (_, n): Change => ({ op: 'delete', key: partKey(observer, n) }))];
}

/** Votes that a part has when there are few parts. */
const votesPerPart = 200;
/** All parts and the observer's record must fit into one commit of 64 changes. */
export const maxParts = 32;
/** A value above this is packed: DynamoDB charges writes by the KiB, and 200 votes become a quarter. */
const packAboveBytes = 1024;
/** No honest part comes near it: a part is at most 256 KiB as it lies in the store. */
const maxUnpackedBytes = 8 * 1024 * 1024;
const dayMs = 86_400_000;

const revision = z.int().min(1);

const observerRecord = z.object({
  /** What a newer hsdo may know beside these two is an observer like a server. */
  kind: z.enum(['server', 'agent']).catch('server'),
  isTransient: z.boolean(),
  /** Silent for this long it counts as gone. */
  ttlMs: z.number().min(1).max(dayMs),
  /** Names of the services that it watches. */
  services: z.array(z.string().min(1).max(255)).max(10_000),
  abstains: z.string().max(1000).exactOptional(),
  /** Marks the life of one process: the revisions of two lives have nothing to do with each other. */
  run: z.string().min(1).max(64),
  ballotRevision: revision,
  /** For each part the revision that wrote it. */
  parts: z.array(revision).max(maxParts),
  /** Counts the writes of this record, for people; readers look at the store's version. */
  beat: z.int().min(0),
});
export type ObserverRecord = z.infer<typeof observerRecord>;

const milliseconds = z.number().min(0).max(dayMs);

const voteRecord = z.object({
  id: z.string().min(1).max(255),
  health: z.enum(['up', 'down']),
  about: z.string().min(1).max(300).exactOptional(),
  /** Left out for `ok`. One that a newer observer knows and we do not is read as the most general one. */
  code: z.enum(probeCodes).catch('error').default('ok'),
  sinceAt: z.number().min(0),
  connectMs: milliseconds.exactOptional(),
  totalMs: milliseconds.exactOptional(),
  role: z.enum(['primary', 'replica']).exactOptional(),
  timeline: z.int().min(0).exactOptional(),
});

/** Services with their votes; pairs, since the name of a service must never become the name of a field. */
const contents = z.array(z.tuple([z.string().min(1).max(255), z.array(z.unknown())]));

const partRecord = z.object({
  run: z.string(),
  revision,
  votes: contents.exactOptional(),
  packed: z.string().exactOptional(),
});

/** Votes of one part by service, in no special order. */
export type PartVotes = ReadonlyMap<string, Votes>;

export interface Part {
  readonly run: string;
  readonly revision: number;
  readonly votes: PartVotes;
  /** Why single votes could not be read; the others count. */
  readonly faults: readonly string[];
}

/** How many parts a ballot of so many votes gets: a power of two, so that growing moves few votes to another part. */
export function partsFor(voteCount: number): number {
  let count = 1;
  while (count < maxParts && count * votesPerPart < voteCount) count *= 2;
  return count;
}

/** The part in which a vote lies: FNV-1a (draft-eastlake-fnv) over service and target, modulo the number of parts. */
export function partOf(service: string, targetId: string, parts: number): number {
  let hash = 0x811c9dc5;
  for (const text of [service, targetId]) {
    for (let n = 0; n < text.length; n++) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193);
    hash = Math.imul(hash ^ 0xff, 0x01000193);
  }
  // The low bits of FNV-1a are its weak ones.
  return ((hash >>> 16) ^ hash) & (parts - 1);
}

/** @throws HsdoError `rejected` when the text is not the record of an observer that this version knows */
export function parseObserver(key: string, text: string): ObserverRecord {
  return parseRecord(key, text, observerRecord);
}

export function encodeObserver(record: ObserverRecord): string {
  return encodeRecord(record);
}

/** One part as text, packed with gzip where that saves writing. */
export function encodePart(run: string, partRevision: number, votes: PartVotes): string {
  const rows = [...votes].map(([service, ofService]) => [service, [...ofService].map(toRow)]);
  const plain = encodeRecord({ run, revision: partRevision, votes: rows });
  if (plain.length <= packAboveBytes) return plain;
  return encodeRecord({ run, revision: partRevision, packed: gzipSync(JSON.stringify(rows)).toString('base64') });
}

function toRow([id, { code, ...rest }]: readonly [string, Vote]) {
  return { id, ...rest, ...(code === 'ok' ? {} : { code }) };
}

/**
 * Reads one part, whoever wrote it. A vote that cannot be read is left out and named in `faults`.
 *
 * @throws HsdoError `rejected` when the part as a whole cannot be read, or unpacks to more than 8 MiB
 */
export function parsePart(key: string, text: string): Part {
  const { run, revision: partRevision, votes: plain, packed } = parseRecord(key, text, partRecord);
  const rows = plain ?? (packed === undefined ? [] : unpack(key, packed));
  const votes = new Map<string, Map<string, Vote>>();
  const faults: string[] = [];
  for (const [service, ofService] of rows) {
    const known = votes.get(service) ?? new Map<string, Vote>();
    votes.set(service, known);
    for (const row of ofService) {
      const parsed = voteRecord.safeParse(row);
      if (!parsed.success) {
        faults.push(`${key}: a vote about service "${service}" is not what hsdo writes`);
        continue;
      }
      const { id, ...vote } = parsed.data;
      known.set(id, vote);
    }
  }
  return { run, revision: partRevision, votes, faults };
}

function unpack(key: string, packed: string): z.infer<typeof contents> {
  try {
    const text = gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: maxUnpackedBytes }).toString('utf8');
    return contents.parse(JSON.parse(text));
  } catch (error) {
    throw new HsdoError('rejected', `Cannot read "${key}": its votes cannot be unpacked`, { cause: error });
  }
}
