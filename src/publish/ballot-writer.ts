import { randomUUID } from 'node:crypto';
import type { Ballot } from '../model/ballot.ts';
import { HsdoError, hasCode } from '../model/error.ts';
import type { Store, Version } from '../store/store.ts';
import type { Clock } from '../time/clock.ts';
import { createQueue } from '../time/in-turn.ts';
import {
  encodeObserver,
  type ObserverRecord,
  observerKey,
  type Part,
  parseObserver,
  parsePart,
  partKey,
  partsFor,
  partsPrefix,
  removalOf,
} from './ballot-format.ts';
import { assembleBallot, isNamed, type Marks, markDifferences, partChanges, type Services } from './ballot-parts.ts';

/** What an observer says of itself, beside its votes. */
export interface Registration {
  /** Names of the services that it watches. */
  readonly services: readonly string[];
  /** Why it casts no votes although it lives. */
  readonly abstains?: string;
}

/** One observer's hand in the store. Calls may overlap; they are done one after the other. */
export interface BallotWriter {
  /**
   * Says what is thought now. Votes are written only where they differ from those written last, in one commit with the
   * heartbeat; measured times alone at most every 30 s. Where nothing differs it is a heartbeat if one is due (a third
   * of the time to live has passed), else nothing. Resolves with true when votes were written.
   *
   * @throws HsdoError `conflict` when another process writes as this observer; the next call takes the place again
   */
  cast(ballot: Ballot, registration: Registration, signal: AbortSignal): Promise<boolean>;
  /** The heartbeat alone: one small write. Nothing before the first `cast`: old votes must not look fresh. */
  beat(signal: AbortSignal): Promise<void>;
  /** The votes that this observer left before its restart; `undefined` when there are none that can be read. */
  former(signal: AbortSignal): Promise<Ballot | undefined>;
  /** Leaves for good: removes registration and votes, as a transient observer does at a clean stop. */
  withdraw(signal: AbortSignal): Promise<void>;
}

export interface BallotWriterOptions {
  readonly store: Store;
  /** Node id of the server, or the agent's id. */
  readonly observer: string;
  /** Default is `server`. */
  readonly kind?: ObserverRecord['kind'];
  /** Registered only while it lives; others stay until an operator decommissions them. */
  readonly isTransient: boolean;
  /** Silent for this long it counts as gone. Heartbeats should come at a third of it. */
  readonly ttlMs: number;
  readonly clock: Clock;
}

/** What was said last, and what of it is not in the store yet. */
interface Said {
  readonly services: Services;
  readonly registration: Registration;
  readonly marks: Marks;
}

/** What lies in the store. `isOurs`: all parts were written by this process. */
interface Written {
  readonly version: Version | null;
  readonly record: ObserverRecord | undefined;
  readonly isOurs: boolean;
}

/** Times move with every probe; they are worth a write this often. */
const timesEveryMs = 30_000;
const maxReasonChars = 1000;

export function createBallotWriter(options: BallotWriterOptions): BallotWriter {
  const { store, observer, isTransient, ttlMs, clock, kind = 'server' } = options;
  const key = observerKey(observer);
  const run = randomUUID().slice(0, 8);
  const inTurn = createQueue();
  let said: Said | undefined;
  /** `undefined`: not known, at first and after every failed write. */
  let written: Written | undefined;
  let isKnownHere = false;
  /** Never used twice in one run, also when the record was removed meanwhile: readers know a part by its revision. */
  let lastRevision = 0;
  let beatAt = Number.NEGATIVE_INFINITY;
  let timesAt = Number.NEGATIVE_INFINITY;

  const load = async (signal: AbortSignal): Promise<Written> => {
    const entry = await store.get(key, signal);
    const record = entry && readable(() => parseObserver(key, entry.value));
    if (isKnownHere && record && record.run !== run) {
      isKnownHere = false;
      const message = `Cannot vote as observer "${observer}": another process does so too; give every server and agent an id of its own`;
      throw new HsdoError('conflict', message);
    }
    return { version: entry?.version ?? null, record, isOurs: false };
  };
  const commit = async (of: Said, base: Written, moved: ReadonlySet<number>, signal: AbortSignal) => {
    const { services, abstains } = of.registration;
    const count = partCountOf(of.services, base);
    const known = Math.max(lastRevision, base.record?.ballotRevision ?? 0);
    const ballotRevision = known + (moved.size > 0 ? 1 : 0);
    lastRevision = ballotRevision;
    const record: ObserverRecord = {
      kind,
      isTransient,
      ttlMs,
      services: [...services],
      ...(abstains === undefined ? {} : { abstains: abstains.slice(0, maxReasonChars) }),
      run,
      ballotRevision,
      parts: Array.from({ length: count }, (_, n) => (moved.has(n) ? ballotRevision : (base.record?.parts[n] ?? 1))),
      beat: (base.record?.beat ?? 0) + 1,
    };
    const changes = [
      { op: 'put', key, value: encodeObserver(record), expect: base.version } as const,
      ...partChanges(observer, record, of.services, moved, base.record?.parts.length ?? 0),
    ];
    written = undefined;
    const versions = await store.commit(changes, signal);
    written = { version: versions.get(key) ?? null, record, isOurs: true };
    isKnownHere = true;
  };
  const attempt = async (isBeat: boolean, signal: AbortSignal): Promise<boolean> => {
    if (!said) return false;
    const base = written ?? (await load(signal));
    const now = clock.monotonic();
    const { marks, registration, services } = said;
    const count = partCountOf(services, base);
    const isWhole = !base.isOurs || count !== base.record?.parts.length;
    const areTimesDue = now - timesAt >= timesEveryMs;
    const moved = isWhole ? all(count) : new Set([...marks.dirty, ...(areTimesDue ? marks.stale : [])]);
    const isBeatDue = isBeat || now - beatAt >= ttlMs / 3 || !isSameRegistration(base.record, registration);
    if (moved.size === 0 && !isBeatDue) return false;
    await commit(said, base, moved, signal);
    beatAt = now;
    if (areTimesDue) timesAt = now;
    for (const n of moved) for (const set of [marks.dirty, marks.stale]) set.delete(n);
    return moved.size > 0;
  };
  /** A record that somebody removed, or a write whose answer was lost, is met with one more try. */
  const write = async (isBeat: boolean, signal: AbortSignal): Promise<boolean> => {
    try {
      return await attempt(isBeat, signal);
    } catch (error) {
      if (!hasCode(error, 'conflict') || !isKnownHere) throw error;
      return attempt(isBeat, signal);
    }
  };
  return {
    cast: (ballot, registration, signal) =>
      inTurn(() => {
        said = sayNext(said, ballot, registration, written);
        return write(false, signal);
      }),
    beat: (signal) => inTurn(async () => void (await write(true, signal))),
    former: (signal) => inTurn(() => readFormer(store, observer, signal)),
    withdraw: (signal) =>
      inTurn(async () => {
        said = undefined;
        if (!isKnownHere) return;
        const base = written;
        written = undefined;
        await store.commit(removalOf(observer, base?.version ?? undefined), signal).catch((error: unknown) => {
          // Whoever wrote meanwhile lives under this name.
          if (!hasCode(error, 'conflict')) throw error;
        });
        isKnownHere = false;
      }),
  };
}

const all = (count: number): ReadonlySet<number> => new Set(Array.from({ length: count }, (_, n) => n));

/** The number of parts never falls while a process lives, so that a ballot at a limit does not move to and fro. */
function partCountOf(services: Services, { isOurs, record }: Written): number {
  const voteCount = [...services.values()].reduce((sum, votes) => sum + votes.size, 0);
  return Math.max(partsFor(voteCount), isOurs ? (record?.parts.length ?? 0) : 0);
}

/** Copies, since the caller may go on counting in its own maps, and marks what differs from what was said before. */
function sayNext(
  before: Said | undefined,
  ballot: Ballot,
  registration: Registration,
  written: Written | undefined,
): Said {
  const { services: names, abstains } = registration;
  const services = new Map(names.map((name) => [name, new Map(ballot.services.get(name))] as const));
  const marks = before?.marks ?? { dirty: new Set<number>(), stale: new Set<number>() };
  markDifferences(before?.services ?? new Map(), services, written?.record?.parts.length ?? 1, marks);
  return { services, marks, registration: { services: [...names], ...(abstains === undefined ? {} : { abstains }) } };
}

function isSameRegistration(record: ObserverRecord | undefined, { services, abstains }: Registration): boolean {
  return (
    record?.abstains === abstains?.slice(0, maxReasonChars) &&
    record?.services.length === services.length &&
    services.every((service, n) => service === record.services[n])
  );
}

/** What can be read of what lies there; a record of another format tells nothing of the past and is replaced. */
function readable<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof HsdoError) return undefined;
    throw error;
  }
}

async function readFormer(store: Store, observer: string, signal: AbortSignal): Promise<Ballot | undefined> {
  const key = observerKey(observer);
  const entry = await store.get(key, signal);
  const record = entry && readable(() => parseObserver(key, entry.value));
  if (!record) return undefined;
  const texts = new Map((await store.list(partsPrefix(observer), signal)).map((part) => [part.key, part.value]));
  const parts = record.parts.flatMap((_, n): Part[] => {
    const text = texts.get(partKey(observer, n));
    const part = text === undefined ? undefined : readable(() => parsePart(partKey(observer, n), text));
    return isNamed(part, record, n) ? [part] : [];
  });
  return assembleBallot(observer, record.services, parts, undefined);
}
