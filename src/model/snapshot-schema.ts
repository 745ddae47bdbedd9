import { z } from 'zod';
import { probeCodes } from './probe.ts';
import { outReasons, overrides } from './slot.ts';
import { switchoverEnds } from './snapshot.ts';

// Slots and snapshots as they come back from a store or a disk, where anybody may have written. Fields that the types in
// slot.ts, target.ts and snapshot.ts do not have are left out, so that clients go on reading while a newer server,
// which may know more, is rolled out before them.

/** Highest index that a slot may have; no more digits are read from a name of a server. */
const maxIndex = 9_999_999;

const index = z.int().min(1).max(maxIndex);
/** Wall-clock milliseconds. */
const instant = z.number().min(0);

/** A TCP port that something can listen on. */
export const portSchema = z.int().min(1).max(65_535);

/** What HAProxy takes as a weight (configuration manual, section 5.2, `weight`). */
export const weightSchema = z.int().min(0).max(256);

const target = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  address: z.union([z.ipv4(), z.ipv6()]),
  port: portSchema.exactOptional(),
  group: z.string(),
  zone: z.string().exactOptional(),
  weight: weightSchema.min(1).exactOptional(),
  priority: z.int().min(0).max(65_535).exactOptional(),
});

const tenant = z.object({
  id: z.string(),
  address: z.string(),
  port: portSchema.exactOptional(),
  leftAt: instant,
});

const lodging = { index, target, joinedAt: instant, weight: weightSchema };

/** A code that a newer server may know and this one does not is read as the most general one. */
const code = z.enum(probeCodes).catch('error');

/** So is a reason that this one does not know: whatever it is, the target is out. */
export const outReasonSchema = z.enum(outReasons).catch('down');

export const slotHealthSchema = z.object({
  verdict: z.enum(['up', 'down', 'undecided']),
  code,
  sinceAt: instant,
  isInDoubt: z.literal(true).exactOptional(),
});

/** One slot. */
export const slotSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('free'), index, last: tenant.exactOptional() }),
  z.object({
    state: z.literal('taken'),
    ...lodging,
    override: z.enum(overrides).exactOptional(),
    health: slotHealthSchema.exactOptional(),
    out: outReasonSchema.exactOptional(),
  }),
  z.object({ state: z.literal('draining'), ...lodging, drainUntil: instant }),
]);

/** A whole list. Revision 0 is one that HSDO wrote and that hsdo has not published yet. */
export const snapshotSchema = z.object({
  service: z.string(),
  slots: z.array(slotSchema),
  unplaced: z.array(z.string()),
  hold: z.object({ token: z.string(), sinceAt: instant, targets: z.array(z.string()) }).exactOptional(),
  panic: z
    .object({
      sinceAt: instant,
      serves: z.enum(['last-good', 'all', 'none', 'first', 'fallback']),
      fallback: z.array(z.union([z.ipv4(), z.ipv6()])).exactOptional(),
    })
    .exactOptional(),
  active: z.string().exactOptional(),
  activeSinceAt: instant.exactOptional(),
  maintenanceUntilAt: instant.exactOptional(),
  switchover: z
    .object({
      token: z.string().min(1),
      targetId: z.string(),
      targetName: z.string(),
      by: z.string(),
      at: instant,
      /** A reason that this one does not know: whatever it is, the wish has ended. */
      ended: z.enum(switchoverEnds).catch('purged').exactOptional(),
      endedBy: z.string().exactOptional(),
    })
    .exactOptional(),
  primary: z
    .object({
      highestTimeline: z.int().min(0).exactOptional(),
      lastId: z.string().exactOptional(),
      forgotten: z.string().exactOptional(),
    })
    .exactOptional(),
  revision: z.int().min(0),
  epoch: z.int().min(0),
  publishedAt: instant,
});
