import { z } from 'zod';
import { probeCodes } from '../model/probe.ts';
import { overrides } from '../model/slot.ts';
import { outReasonSchema, slotHealthSchema, snapshotSchema } from '../model/snapshot-schema.ts';
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

const clientReport = z.object({
  client: z.string(),
  service: z.string(),
  at: instant,
  revision: count,
  sockets: z.array(
    z.object({
      socket: z.string(),
      isUp: z.boolean(),
      error: z.string().optional(),
      drift: count,
      missing: z.array(z.object({ backend: z.string(), slots: z.array(count) })),
      manual: z.array(z.object({ backend: z.string(), slot: count, state: z.enum(['drain', 'maint']) })),
    }),
  ),
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
  clients: z.array(clientReport),
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

const statistics = z.object({
  successes: count,
  timeouts: count,
  connectErrors: count,
  responseErrors: count,
  otherErrors: count,
  firstAt: instant,
  lastAt: instant,
  lastSuccessAt: instant.exactOptional(),
  lastFailureAt: instant.exactOptional(),
  lastCode: code,
  lastMessage: z.string(),
  connectMs: milliseconds.exactOptional(),
  totalMs: milliseconds.exactOptional(),
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
  statistics: statistics.exactOptional(),
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
