import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import type { Desired, Hold, Panic, PrimaryHistory, Switchover } from '../model/snapshot.ts';
import { snapshotSchema } from '../model/snapshot-schema.ts';
import { type Attributes, numberOf, numeric, textOf } from './dynamodb-attributes.ts';

/** Item 0 of HSDO's table: everything about the list that is not a slot. */
export interface Control {
  /** 0 while nothing of ours was published, as after an election on a table that HSDO wrote. */
  readonly revision: number;
  /** The highest epoch that has claimed the table: the fence, which an election may raise before anything is written. */
  readonly epoch: number;
  /** The epoch of the leader that wrote the list as it stands. */
  readonly publishedEpoch: number;
  readonly size: number | undefined;
  readonly publishedAt: number;
  readonly unplaced: readonly string[];
  readonly hold: Hold | undefined;
  readonly panic: Panic | undefined;
  readonly active: string | undefined;
  readonly activeSinceAt: number | undefined;
  readonly maintenanceUntilAt: number | undefined;
  readonly switchover: Switchover | undefined;
  readonly primary: PrimaryHistory | undefined;
  /** Mark of the transaction that wrote last. */
  readonly nonce: string | undefined;
  /** Which slots the last revisions wrote: see dynamodb-moved.ts. */
  readonly moved: string | undefined;
}

/** Bytes of names kept in each of the two lists, so that item 0 stays below the 4 KB of one read unit. */
const maxNamesBytes = 640;
const maxTokenLength = 200;

const more = /^and (\d+) more$/;

/**
 * The names that fit, the rest as a count in a last entry. A list that was cut before fits and stays as it is.
 */
export function cutNames(names: readonly string[]): readonly string[] {
  const sizeOf = (name: string) => Buffer.byteLength(JSON.stringify(name)) + 1;
  if (names.reduce((sum, name) => sum + sizeOf(name), 0) <= maxNamesBytes) return names;
  const last = sizeOf(`and ${Number.MAX_SAFE_INTEGER} more`);
  let kept = 0;
  let used = last;
  for (const name of names) {
    used += sizeOf(name);
    if (used > maxNamesBytes) break;
    kept += 1;
  }
  const hidden = names.slice(kept).reduce((sum, name) => sum + Number(more.exec(name)?.[1] ?? 1), 0);
  return [...names.slice(0, kept), `and ${hidden} more`];
}

/** What a revision has beside its list. */
export interface Mark {
  readonly revision: number;
  readonly epoch: number;
  readonly publishedAt: number;
  readonly nonce: string;
  readonly moved: string;
}

/** Attributes of item 0 that are there only while they say something. */
export const passingAttributes = [
  'Hold',
  'Panic',
  'Active',
  'ActiveSinceAt',
  'MaintenanceUntilAt',
  'Switchover',
  'Primary',
] as const;

/** The attributes of a snapshot that lie in item 0; the passing ones are absent where nothing is held, and so on. */
export function encodeControl(
  { slots, unplaced, hold, panic, active, activeSinceAt, maintenanceUntilAt, switchover, primary }: Desired,
  { revision, epoch, publishedAt, nonce, moved }: Mark,
): Record<string, AttributeValue> {
  return {
    Revision: numeric(revision),
    Epoch: numeric(epoch),
    PublishedEpoch: numeric(epoch),
    Size: numeric(slots.length),
    PublishedAt: numeric(publishedAt),
    Unplaced: { S: JSON.stringify(cutNames(unplaced)) },
    Nonce: { S: nonce },
    Moved: { S: moved },
    ...(hold ? { Hold: { S: encodeHold(hold) } } : {}),
    ...(panic ? { Panic: { S: JSON.stringify(panic) } } : {}),
    ...(active === undefined ? {} : { Active: { S: active } }),
    ...(activeSinceAt === undefined ? {} : { ActiveSinceAt: numeric(activeSinceAt) }),
    ...(maintenanceUntilAt === undefined ? {} : { MaintenanceUntilAt: numeric(maintenanceUntilAt) }),
    ...(switchover ? { Switchover: { S: JSON.stringify(switchover) } } : {}),
    ...(primary ? { Primary: { S: JSON.stringify(primary) } } : {}),
  };
}

function encodeHold({ token, sinceAt, targets }: Hold): string {
  return JSON.stringify({ token: token.slice(0, maxTokenLength), sinceAt, targets: cutNames(targets) });
}

const names = z.array(z.string());
const panicSchema = snapshotSchema.shape.panic.unwrap();
const switchoverSchema = snapshotSchema.shape.switchover.unwrap();
const primarySchema = snapshotSchema.shape.primary.unwrap();
const holdSchema = z.object({ token: z.string(), sinceAt: z.number(), targets: names });

/**
 * Reads item 0. What only tells people something (unplaced, hold, panic, active, switchover) is taken for absent where it cannot be read; what
 * guards the table is not.
 *
 * @throws HsdoError `rejected` when revision or epoch are not whole numbers
 */
export function decodeControl(item: Attributes): Control {
  return {
    revision: wholeOf(item, 'Revision'),
    epoch: wholeOf(item, 'Epoch'),
    publishedEpoch: wholeOf(item, 'PublishedEpoch'),
    size: numberOf(item, 'Size', 0),
    publishedAt: numberOf(item, 'PublishedAt', 0) ?? 0,
    unplaced: jsonOf(item, 'Unplaced', names) ?? [],
    hold: jsonOf(item, 'Hold', holdSchema),
    panic: jsonOf(item, 'Panic', panicSchema),
    active: textOf(item, 'Active'),
    activeSinceAt: numberOf(item, 'ActiveSinceAt', 0),
    maintenanceUntilAt: numberOf(item, 'MaintenanceUntilAt', 0),
    switchover: jsonOf(item, 'Switchover', switchoverSchema),
    primary: jsonOf(item, 'Primary', primarySchema),
    nonce: textOf(item, 'Nonce'),
    moved: textOf(item, 'Moved'),
  };
}

function wholeOf(item: Attributes, name: string): number {
  if (item[name] === undefined) return 0;
  const value = numberOf(item, name, 0);
  if (value !== undefined && Number.isSafeInteger(value)) return value;
  const message = `Cannot read item 0 of HSDO's table: ${name} is ${JSON.stringify(item[name])}, expected a whole number from 0; stop every server, then correct or remove the item`;
  throw new HsdoError('rejected', message);
}

function jsonOf<T>(item: Attributes, name: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(textOf(item, name) ?? 'null')).data;
  } catch {
    return undefined;
  }
}
