import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { overrides, type Slot } from '../model/slot.ts';

/** The format of the records below; a reader refuses a higher one. */
const format = 1;

const instant = z.number().min(0);
const index = z.int().min(1);
const port = z.int().min(1).max(65_535);
const weight = z.int().min(0).max(256);

const target = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  address: z.union([z.ipv4(), z.ipv6()]),
  port: port.exactOptional(),
  group: z.string(),
  zone: z.string().exactOptional(),
  weight: weight.min(1).exactOptional(),
});

const tenant = z.object({ id: z.string(), address: z.string(), port: port.exactOptional(), leftAt: instant });

const slot = z.discriminatedUnion('state', [
  z.object({ state: z.literal('free'), index, last: tenant.exactOptional() }),
  z.object({
    state: z.literal('taken'),
    index,
    target,
    joinedAt: instant,
    weight,
    override: z.enum(overrides).exactOptional(),
  }),
  z.object({ state: z.literal('draining'), index, target, joinedAt: instant, weight, drainUntil: instant }),
]);

const head = z.object({
  revision: z.int().min(1),
  epoch: z.int().min(0),
  size: z.int().min(0),
  publishedAt: instant,
  unplaced: z.array(z.string()),
  hold: z.object({ token: z.string(), sinceAt: instant, targets: z.array(z.string()) }).exactOptional(),
  /** The revision in which each chunk was written last, so that a reader sees whether its chunks belong together. */
  chunks: z.array(z.int().min(1)),
});
const chunk = z.object({ revision: z.int().min(1), slots: z.array(slot) });

/** Everything about a published snapshot but its slots. */
export type Head = z.infer<typeof head>;
/** A run of slots, and the revision in which it was written. */
export interface Chunk {
  readonly revision: number;
  readonly slots: readonly Slot[];
}

/**
 * A slot as text that is equal exactly for equal slots, in whichever order their fields were made.
 */
export function slotText(value: Slot): string {
  return JSON.stringify(slot.parse(value));
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
