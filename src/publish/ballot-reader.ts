import type { Ballot, Observer } from '../model/ballot.ts';
import { describeError, HsdoError, hasCode } from '../model/error.ts';
import type { Change, Entry, Store, Version } from '../store/store.ts';
import type { Clock } from '../time/clock.ts';
import { createQueue } from '../time/in-turn.ts';
import {
  ballotRoot,
  type ObserverRecord,
  observerKey,
  observerRoot,
  type Part,
  parseObserver,
  parsePart,
  partKey,
  partsPrefix,
  removalOf,
} from './ballot-format.ts';
import { assembleBallot, isNamed } from './ballot-parts.ts';

/** An observer with what only people ask about it. */
export interface RegisteredObserver extends Observer {
  readonly kind: 'server' | 'agent';
  readonly isTransient: boolean;
}

/** Everybody's ballots, as one process sees them. Calls may overlap; they are done one after the other. */
export interface BallotReader {
  /**
   * All registered observers with their votes, by key. Fresh is one whose record moved within its own time to live by
   * this process's monotonic clock, as leases are judged: nobody's wall clocks are compared. What is seen for the first
   * time counts as moved, so a process should read all the time and not begin when it becomes leader. A transient
   * observer that is not fresh is left out. What did not change is the same object as at the last read.
   */
  read(signal: AbortSignal): Promise<readonly RegisteredObserver[]>;
  /** What the last `read` could not use, each with its reason; the votes in it are missing. */
  unreadable(): readonly string[];
  /** Removes transient observers that were silent for ten times their time to live; resolves with their ids. */
  tidy(signal: AbortSignal): Promise<readonly string[]>;
  /** For how long the record of each has not moved, by id, milliseconds. A transient observer that is gone is there, too. */
  silentMs(): ReadonlyMap<string, number>;
  /**
   * Strikes an observer off the electorate for good, votes included.
   *
   * @param beside - Written in the same commit.
   * @throws HsdoError `rejected` while it is fresh, and when nobody is registered under this id
   */
  decommission(id: string, signal: AbortSignal, beside?: readonly Change[]): Promise<void>;
  /** Optional hint that somebody's votes changed. Heartbeats are none. */
  changed?(signal: AbortSignal): Promise<void>;
}

/** What is known of one observer between two reads. */
interface Known extends Content {
  readonly version: Version;
  /** When the version was first seen, monotonic. */
  readonly movedAt: number;
  readonly observer: RegisteredObserver;
}

interface Content {
  readonly record: ObserverRecord;
  /** By number; those that could not be read have no votes. */
  readonly parts: readonly (Part | undefined)[];
  /** False when the parts are not those that the record names: then none of the votes counts. */
  readonly isWhole: boolean;
}

/** Parts read one by one; more of them are read as one list. */
const maxSingleReads = 4;
/** A writer may come in between reading the record and reading the parts that it names. */
const readTries = 4;
const tidyAfterTtls = 10;

export function createBallotReader({ store, clock }: { readonly store: Store; readonly clock: Clock }): BallotReader {
  const inTurn = createQueue();
  const { changed } = store;
  let known: ReadonlyMap<string, Known> = new Map();
  let faults: readonly string[] = [];
  const silentMs = ({ movedAt }: Known) => clock.monotonic() - movedAt;

  const look = async (id: string, entry: Entry, signal: AbortSignal): Promise<Known | undefined> => {
    const before = known.get(id);
    const isUnmoved = before?.version === entry.version;
    const now = clock.monotonic();
    const movedAt = isUnmoved ? before.movedAt : now;
    const content = isUnmoved && before.isWhole ? before : await readContent(store, id, entry, before, signal);
    if (!content) return undefined;
    const { record, parts, isWhole } = content;
    const votes = isWhole ? parts.filter((part) => part !== undefined) : [];
    const ballot =
      content === before ? before.observer.ballot : assembleBallot(id, record.services, votes, before?.observer.ballot);
    const observer = describe(id, record, now - movedAt < record.ttlMs, ballot);
    const isSame = before !== undefined && isSameObserver(before.observer, observer);
    return { version: entry.version, movedAt, record, parts, isWhole, observer: isSame ? before.observer : observer };
  };
  const read = async (signal: AbortSignal) => {
    const entries = await store.list(observerRoot, signal);
    const refused: string[] = [];
    const looks = entries.map(async (entry): Promise<readonly [string, Known] | undefined> => {
      try {
        const id = idOf(entry.key);
        const found = await look(id, entry, signal);
        return found && [id, found];
      } catch (error) {
        if (!hasCode(error, 'rejected')) throw error;
        refused.push(describeError(error));
        return undefined;
      }
    });
    known = new Map((await Promise.all(looks)).filter((found) => found !== undefined));
    faults = [...refused, ...[...known].flatMap(([id, one]) => faultsOf(id, one))];
    return [...known.values()].map(({ observer }) => observer).filter((one) => one.isFresh || !one.isTransient);
  };
  const tidy = async (signal: AbortSignal) => {
    const removed: string[] = [];
    for (const [id, one] of known) {
      if (!one.record.isTransient || silentMs(one) < tidyAfterTtls * one.record.ttlMs) continue;
      try {
        await store.commit(removalOf(id, one.version), signal);
        removed.push(id);
      } catch (error) {
        // It came back, or another process was quicker.
        if (!hasCode(error, 'conflict')) throw error;
      }
    }
    return removed;
  };
  const decommission = async (id: string, signal: AbortSignal, beside: readonly Change[] = []) => {
    await read(signal);
    const one = known.get(id);
    if (!one) throw refusal(id, 'no such observer is registered');
    if (one.observer.isFresh) throw refusal(id, `it lives; stop it and wait ${Math.ceil(one.record.ttlMs / 1000)} s`);
    try {
      await store.commit([...removalOf(id, one.version), ...beside], signal);
    } catch (error) {
      if (hasCode(error, 'conflict')) throw refusal(id, 'it has just come back', error);
      throw error;
    }
  };
  return {
    read: (signal) => inTurn(() => read(signal)),
    unreadable: () => faults,
    tidy: (signal) => inTurn(() => tidy(signal)),
    silentMs: () => new Map([...known].map(([id, one]) => [id, silentMs(one)])),
    decommission: (id, signal, beside) => inTurn(() => decommission(id, signal, beside)),
    ...(changed ? { changed: (signal: AbortSignal) => changed.call(store, ballotRoot, signal) } : {}),
  };
}

function refusal(id: string, why: string, cause?: unknown): HsdoError {
  return new HsdoError(
    'rejected',
    `Cannot decommission observer "${id}": ${why}`,
    cause === undefined ? {} : { cause },
  );
}

function idOf(key: string): string {
  try {
    const id = decodeURIComponent(key.slice(observerRoot.length));
    if (id !== '' && observerKey(id) === key) return id;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  throw new HsdoError('rejected', `Cannot read "${key}": it is not the key of an observer`);
}

function faultsOf(id: string, { parts, isWhole }: Content): readonly string[] {
  if (!isWhole) return [`Cannot read the ballot of "${id}": its parts did not belong together in ${readTries} reads`];
  return parts.flatMap((part) => part?.faults ?? []);
}

function describe(id: string, record: ObserverRecord, isFresh: boolean, ballot: Ballot): RegisteredObserver {
  const { services, abstains, kind, isTransient } = record;
  return { id, isFresh, services, ...(abstains === undefined ? {} : { abstains }), kind, isTransient, ballot };
}

function isSameObserver(one: RegisteredObserver, other: RegisteredObserver): boolean {
  return (
    one.isFresh === other.isFresh &&
    one.abstains === other.abstains &&
    one.ballot === other.ballot &&
    one.kind === other.kind &&
    one.isTransient === other.isTransient &&
    one.services.length === other.services.length &&
    one.services.every((service, n) => service === other.services[n])
  );
}

/** `undefined` when the observer withdrew meanwhile. */
async function readContent(
  store: Store,
  id: string,
  entry: Entry,
  before: Content | undefined,
  signal: AbortSignal,
): Promise<Content | undefined> {
  let record = parseObserver(entry.key, entry.value);
  let parts = before?.parts ?? [];
  for (let tries = 0; tries < readTries; tries++) {
    parts = await readParts(store, id, record, parts, signal);
    if (isWhole(record, parts)) return { record, parts, isWhole: true };
    const again = await store.get(entry.key, signal);
    if (!again) return undefined;
    record = parseObserver(entry.key, again.value);
  }
  return { record, parts, isWhole: false };
}

function isWhole(record: ObserverRecord, parts: readonly (Part | undefined)[]): boolean {
  return record.parts.every((_, n) => isNamed(parts[n], record, n));
}

/** The parts that the record names; of those in `before` nothing is read again. */
async function readParts(
  store: Store,
  id: string,
  record: ObserverRecord,
  before: readonly (Part | undefined)[],
  signal: AbortSignal,
): Promise<readonly (Part | undefined)[]> {
  const missing = record.parts.flatMap((_, n) => (isNamed(before[n], record, n) ? [] : [partKey(id, n)]));
  const entries =
    missing.length > maxSingleReads
      ? await store.list(partsPrefix(id), signal)
      : await Promise.all(missing.map((key) => store.get(key, signal)));
  const texts = new Map(entries.flatMap((entry) => (entry ? [[entry.key, entry.value] as const] : [])));
  return record.parts.map((revision, n) => {
    if (isNamed(before[n], record, n)) return before[n];
    const key = partKey(id, n);
    const text = texts.get(key);
    return text === undefined ? undefined : parseOrName(key, text, record.run, revision);
  });
}

/** A part that cannot be read stands for one without votes, so that it is not read again until it is written anew. */
function parseOrName(key: string, text: string, run: string, revision: number): Part {
  try {
    return parsePart(key, text);
  } catch (error) {
    if (!hasCode(error, 'rejected')) throw error;
    return { run, revision, votes: new Map(), faults: [describeError(error)] };
  }
}
