import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import type { Slot } from '../model/slot.ts';
import { slotSchema, snapshotSchema } from '../model/snapshot-schema.ts';

/** The format of the records below; a reader refuses a higher one. */
const format = 1;

const { unplaced, hold, panic, active, activeSinceAt, maintenanceUntilAt, switchover, primary } = snapshotSchema.shape;
const { revision, epoch, publishedAt } = snapshotSchema.shape;
/** Only a published snapshot has a record. */
const published = revision.min(1);

const head = z.object({
  revision: published,
  epoch,
  size: z.int().min(0),
  publishedAt,
  unplaced,
  hold,
  panic,
  active,
  activeSinceAt,
  maintenanceUntilAt,
  switchover,
  primary,
  /** The revision in which each chunk was written last, so that a reader sees whether its chunks belong together. */
  chunks: z.array(published),
});
const chunk = z.object({ revision: published, slots: z.array(slotSchema) });

/** Everything about a published snapshot but its slots. */
export type Head = z.infer<typeof head>;
/** A run of slots, and the revision in which it was written. */
export interface Chunk {
  readonly revision: number;
  readonly slots: readonly Slot[];
}

/** @throws HsdoError `rejected` when the text is not a head that this version knows */
export function parseHead(key: string, text: string): Head {
  return parseRecord(key, text, head);
}

/** @throws HsdoError `rejected` when the text is not a chunk that this version knows */
export function parseChunk(key: string, text: string): Chunk {
  return parseRecord(key, text, chunk);
}

/**
 * Parses a record that any process may have written.
 *
 * @throws HsdoError `rejected`, naming the key and what was expected
 */
export function parseRecord<T>(key: string, text: string, schema: z.ZodType<T>): T {
  const value = parseJson(key, text);
  const written = z.object({ format: z.int() }).safeParse(value);
  if (written.success && written.data.format > format) {
    const message = `Cannot read "${key}": a newer hsdo wrote it (format ${written.data.format}, this one knows ${format}); update this one`;
    throw new HsdoError('rejected', message);
  }
  const parsed = written.success ? schema.safeParse(value) : written;
  if (parsed.success) return parsed.data as T;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? ` at ${issue.path.join('.')}` : '';
  throw new HsdoError('rejected', `Cannot read "${key}": ${issue?.message ?? 'not what hsdo writes'}${where}`);
}

/** A record of ours as text; {@link parseRecord} reads it. */
export function encodeRecord(value: object): string {
  return JSON.stringify({ format, ...value });
}

function parseJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HsdoError('rejected', `Cannot read "${key}": it is not JSON`, { cause: error });
  }
}
