import { z } from 'zod';
import { probeCodes } from '../model/probe.ts';
import { overrides } from '../model/slot.ts';
import { outReasonSchema, slotHealthSchema, snapshotSchema } from '../model/snapshot-schema.ts';
import { reportSchema } from '../publish/reports.ts';
import { statisticsSchema } from '../publish/statistics.ts';
import { count, instant, milliseconds, named } from './answer-parts.ts';
import type { SwitchView } from './switch-view.ts';
import type { ObserverView, ServiceDetail, ServiceView } from './view.ts';

const { hold, panic, switchover, primary } = snapshotSchema.shape;

const source = z.object({
  label: z.string(),
  targets: count,
  lastSuccessAt: instant.exactOptional(),
  lastError: z.string().exactOptional(),
  failures: count,
  nextTryAt: instant.exactOptional(),
  refusals: z.array(named),
});

export const overrideAnswer = z.object({ targetId: z.string(), state: z.enum(overrides), by: z.string(), at: instant });

const switching: z.ZodType<SwitchView> = z.object({
  kind: z.string(),
  current: z.string().exactOptional(),
  wanted: z.string().exactOptional(),
  agrees: z.boolean().exactOptional(),
  lastSwitchAt: instant.exactOptional(),
  lastSuccessAt: instant.exactOptional(),
  lastError: z.string().exactOptional(),
  nextTryAt: instant.exactOptional(),
});

const serviceFields = {
  name: z.string(),
  state: z.enum(['unknown', 'unpublished', 'panic', 'no-quorum', 'holding', 'ok']),
  revision: count,
  epoch: count,
  publishedAt: instant.exactOptional(),
  size: count,
  taken: count,
  draining: count,
  free: count,
  unplaced: z.array(z.string()),
  hold,
  panic,
  active: z.string().exactOptional(),
  activeName: z.string().exactOptional(),
  activeSinceAt: instant.exactOptional(),
  maintenanceUntilAt: instant.exactOptional(),
  switchover,
  switch: switching.exactOptional(),
  verdicts: z.object({ up: count, down: count, undecided: count }).exactOptional(),
  inDoubt: z.array(z.string()).exactOptional(),
  shrinkBlockedBy: z.array(count),
  sources: z.array(source),
  duplicates: z.array(named),
  overrides: z.array(overrideAnswer),
  clients: z.array(reportSchema),
};
/** A service in a list of services. */
export const serviceAnswer: z.ZodType<ServiceView> = z.object(serviceFields);

export const observerAnswer: z.ZodType<ObserverView> = z.object({
  id: z.string(),
  kind: z.enum(['server', 'agent']),
  isFresh: z.boolean(),
  isTransient: z.boolean(),
  isNamed: z.literal(true).exactOptional(),
  abstains: z.string().exactOptional(),
  lastSeenAt: instant.exactOptional(),
  clockOffsetMs: z.number().exactOptional(),
});

const code = z.enum(probeCodes);
const vote = z.object({
  observer: z.string(),
  health: z.enum(['up', 'down']),
  about: z.string().exactOptional(),
  code,
  sinceAt: instant,
  connectMs: milliseconds.exactOptional(),
  totalMs: milliseconds.exactOptional(),
  role: z.enum(['primary', 'replica']).exactOptional(),
  timeline: count.exactOptional(),
});

const target = z.object({
  id: z.string(),
  name: z.string(),
  address: z.string(),
  port: count.exactOptional(),
  group: z.string(),
  slot: count,
  state: z.enum(['taken', 'draining']),
  servingWeight: count,
  override: z.enum(overrides).exactOptional(),
  health: slotHealthSchema.exactOptional(),
  out: outReasonSchema.exactOptional(),
  votes: z.array(vote),
  statistics: statisticsSchema.exactOptional(),
});

/** One service in full. */
export const serviceDetailAnswer: z.ZodType<ServiceDetail> = z.object({
  ...serviceFields,
  check: z.string().exactOptional(),
  policy: z.string(),
  selection: z.string(),
  whenAllDown: z.string(),
  fullWeight: count,
  domains: z.array(z.string()).exactOptional(),
  primary,
  observers: z.array(observerAnswer),
  targets: z.array(target),
});
