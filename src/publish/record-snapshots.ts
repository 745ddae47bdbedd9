import { HsdoError } from '../model/error.ts';
import { isSameSlot, type Slot } from '../model/slot.ts';
import type { Desired, Panic, Snapshot } from '../model/snapshot.ts';
import { type Change, type Entry, maxCommitChanges, type Store } from '../store/store.ts';
import { fenceKey } from './record-lease.ts';
import { type Chunk, encodeRecord, type Head, parseChunk, parseHead } from './snapshot-format.ts';
import type { Snapshots } from './snapshots.ts';
import { assertHeld, type Term } from './term.ts';

const slotsPerChunk = 100;
/** The fence, the head and the chunks of a whole list must fit into one commit. */
const maxSlots = (maxCommitChanges - 2) * slotsPerChunk;
const readTries = 10;

const rootOf = (service: string) => `snapshot/${encodeURIComponent(service)}/`;
const headKeyOf = (service: string) => `${rootOf(service)}head`;
const chunksPrefixOf = (service: string) => `${rootOf(service)}slots/`;
const chunkKeyOf = (service: string, n: number) => `${chunksPrefixOf(service)}${String(n).padStart(4, '0')}`;

/**
 * Snapshots on the plain store: a small head, which is all that an idle reader looks at, and the slots in chunks of
 * which only the changed ones are written.
 */
export function createRecordSnapshots(store: Store): Snapshots {
  const { changed } = store;
  const parsed: ParsedChunks = new Map();
  return {
    async revision(service, signal) {
      const key = headKeyOf(service);
      const entry = await store.get(key, signal, { mayBeStale: true });
      return entry ? parseHead(key, entry.value).revision : 0;
    },
    read: (service, signal) => read(store, service, parsed, signal),
    write: (previous, desired, term, publishedAt, signal) =>
      write(store, previous, { desired, term, publishedAt }, signal),
    ...(changed ? { changed: (service, signal) => changed(headKeyOf(service), signal) } : {}),
  };
}

/** What was parsed last under each key: of a long list most chunks are as they were. */
type ParsedChunks = Map<string, { readonly text: string; readonly chunk: Chunk }>;

function parseOnce(parsed: ParsedChunks, key: string, text: string): Chunk {
  const known = parsed.get(key);
  if (known?.text === text) return known.chunk;
  const chunk = parseChunk(key, text);
  parsed.set(key, { text, chunk });
  return chunk;
}

/** Reads until the chunks are those that the head names: no more than a moment, unless somebody edited them. */
async function read(
  store: Store,
  service: string,
  parsed: ParsedChunks,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  const key = headKeyOf(service);
  for (let tries = 0; tries < readTries; tries++) {
    const entry = await store.get(key, signal);
    if (!entry) return undefined;
    const head = parseHead(key, entry.value);
    const chunks = await store.list(chunksPrefixOf(service), signal);
    const slots = assemble(service, head, chunks, parsed);
    if (slots) return toSnapshot(service, head, slots);
  }
  const message = `Cannot read snapshot "${service}": its parts did not belong together in ${readTries} reads`;
  throw new HsdoError('unavailable', message);
}

function assemble(
  service: string,
  head: Head,
  entries: readonly Entry[],
  parsed: ParsedChunks,
): readonly Slot[] | undefined {
  const found = new Map(entries.map((entry) => [entry.key, entry.value]));
  const chunks = head.chunks.map((revision, n): Chunk | undefined => {
    const key = chunkKeyOf(service, n);
    const text = found.get(key);
    const chunk = text === undefined ? undefined : parseOnce(parsed, key, text);
    return chunk?.revision === revision ? chunk : undefined;
  });
  if (chunks.includes(undefined)) return undefined;
  const slots = chunks.flatMap((chunk) => chunk?.slots ?? []);
  if (slots.length === head.size && slots.every((slot, n) => slot.index === n + 1)) return slots;
  throw new HsdoError('rejected', `Cannot read snapshot "${service}": its slots are not 1 to ${head.size}`);
}

function toSnapshot(service: string, head: Head, slots: readonly Slot[]): Snapshot {
  const { size: _size, chunks: _chunks, ...rest } = head;
  return { service, slots, ...rest };
}

async function write(
  store: Store,
  previous: Snapshot | undefined,
  next: { readonly desired: Desired; readonly term: Term; readonly publishedAt: number },
  signal: AbortSignal,
): Promise<Snapshot> {
  const { desired, term, publishedAt } = next;
  const { service, slots } = desired;
  assertFits(desired);
  const key = headKeyOf(service);
  const entry = await store.get(key, signal);
  const current = entry && parseHead(key, entry.value);
  assertCurrent(service, current, previous, term);

  const revision = (current?.revision ?? 0) + 1;
  const chunks = nextChunks(previous?.slots ?? [], slots, current, revision);
  const head = headOf(desired, chunks, { revision, epoch: term.epoch, publishedAt });
  const changes: Change[] = [
    { op: 'check', key: fenceKey, expect: term.fence },
    { op: 'put', key, value: encodeRecord(head), expect: entry?.version ?? null },
  ];
  chunks.forEach((chunk, n) => {
    if (chunk.revision === revision)
      changes.push({ op: 'put', key: chunkKeyOf(service, n), value: encodeRecord(chunk) });
  });
  for (let n = chunks.length; n < (current?.chunks.length ?? 0); n++) {
    changes.push({ op: 'delete', key: chunkKeyOf(service, n) });
  }
  assertHeld(`publish "${service}"`, term);
  await store.commit(changes, signal);
  return { ...desired, revision, epoch: term.epoch, publishedAt };
}

function headOf(
  { slots, unplaced, hold, panic, active, activeSinceAt, maintenanceUntilAt, switchover, primary }: Desired,
  chunks: readonly Chunk[],
  mark: Pick<Head, 'revision' | 'epoch' | 'publishedAt'>,
): Head {
  return {
    ...mark,
    size: slots.length,
    unplaced: [...unplaced],
    ...(hold ? { hold: { ...hold, targets: [...hold.targets] } } : {}),
    ...(panic ? { panic: recordOf(panic) } : {}),
    ...(active === undefined ? {} : { active }),
    ...(activeSinceAt === undefined ? {} : { activeSinceAt }),
    ...(maintenanceUntilAt === undefined ? {} : { maintenanceUntilAt }),
    ...(switchover ? { switchover } : {}),
    ...(primary ? { primary } : {}),
    chunks: chunks.map((chunk) => chunk.revision),
  };
}

function recordOf({ fallback, ...panic }: Panic): NonNullable<Head['panic']> {
  return { ...panic, ...(fallback ? { fallback: [...fallback] } : {}) };
}

/** The chunks of a list; one that did not change keeps the revision that wrote it, and need not be written again. */
function nextChunks(
  before: readonly Slot[],
  slots: readonly Slot[],
  head: Head | undefined,
  revision: number,
): Chunk[] {
  const old = chunksOf(before);
  return chunksOf(slots).map((chunk, n) => {
    const was = old[n];
    const isKept = was?.length === chunk.length && chunk.every((slot, i) => isSameSlot(slot, was[i] as Slot));
    return { revision: (isKept ? head?.chunks[n] : undefined) ?? revision, slots: chunk };
  });
}

function chunksOf(slots: readonly Slot[]): readonly (readonly Slot[])[] {
  const count = Math.ceil(slots.length / slotsPerChunk);
  return Array.from({ length: count }, (_, n) => slots.slice(n * slotsPerChunk, (n + 1) * slotsPerChunk));
}

function assertFits({ service, slots }: Desired): void {
  if (slots.length <= maxSlots) return;
  const message = `Cannot publish "${service}": ${slots.length} slots, at most ${maxSlots} are possible`;
  throw new HsdoError('rejected', message);
}

function assertCurrent(service: string, current: Head | undefined, previous: Snapshot | undefined, term: Term): void {
  const [found, expected] = [current?.revision ?? 0, previous?.revision ?? 0];
  if (found !== expected) {
    throw new HsdoError('conflict', `Cannot publish "${service}": revision ${found} stands, expected ${expected}`);
  }
  if (current && current.epoch > term.epoch) {
    const message = `Cannot publish "${service}" in epoch ${term.epoch}: epoch ${current.epoch} has published already`;
    throw new HsdoError('conflict', message);
  }
}
