import { z } from 'zod';
import type { ServiceState } from '../deliver/notify/announce.ts';
import type { ClusterState } from '../deliver/notify/announce-nodes.ts';
import type { Batch } from '../deliver/notify/compose.ts';
import type { Cursor } from '../deliver/notify/pace.ts';
import { eventKinds } from '../model/event.ts';
import { probeCodes } from '../model/probe.ts';
import { parseRecord } from './snapshot-format.ts';

// What people are told lies in three kinds of records. `notice/<scope>` is the head of a service or of the cluster: what was
// announced so far, and the number of the last batch. `event/<scope>/<number>` are the events of one announcement, written in
// the same commit. `told/<notifier>/<scope>` says how far a notifier is, `told/<notifier>` how much it said in the last hour.

/** `cluster`, or `service/` and its name. */
export type Scope = string;

export const clusterScope: Scope = 'cluster';
const servicePrefix = 'service/';
export const scopeOf = (service: string): Scope => servicePrefix + service;
/** The service of a scope; `undefined` for the cluster. */
export const serviceOf = (scope: Scope): string | undefined =>
  scope.startsWith(servicePrefix) ? scope.slice(servicePrefix.length) : undefined;

export const headRoot = 'notice/';
export const headKey = (scope: Scope) => headRoot + scope;
export const batchKey = (scope: Scope, seq: number) => `event/${scope}/${String(seq).padStart(12, '0')}`;
export const toldRoot = (notifier: string) => `told/${notifier}/`;
export const toldKey = (notifier: string, scope: Scope) => toldRoot(notifier) + scope;
export const paceKey = (notifier: string) => `told/${notifier}`;

const count = z.int().min(0);
const instant = z.number().min(0);
const text = z.string().max(2000);

const serviceState = z.object({
  downs: z.array(z.object({ id: text, code: z.enum(probeCodes).catch('error'), sinceAt: instant })),
  outage: z.object({ sinceAt: instant, reason: text }).exactOptional(),
  active: z.object({ id: text, name: text }).exactOptional(),
  switchover: z.object({ token: text, isOver: z.boolean() }).exactOptional(),
}) satisfies z.ZodType<ServiceState>;

const clusterState = z.object({
  epoch: count,
  holder: text,
  nodes: z.array(
    z.object({ id: text, kind: z.enum(['server', 'agent']).catch('server'), silentSinceAt: instant.exactOptional() }),
  ),
}) satisfies z.ZodType<ClusterState>;

const head = z.object({
  /** Number of the last batch; 0 before the first. */
  seq: count,
  /** Number of the oldest batch that is kept. */
  first: z.int().min(1),
  /** When the last batch was written, wall-clock milliseconds. */
  at: instant,
  service: serviceState.exactOptional(),
  cluster: clusterState.exactOptional(),
});

/** The head of a scope: `service` or `cluster` is what was announced of it so far. */
export interface EventHead extends Readonly<Omit<z.infer<typeof head>, 'service' | 'cluster'>> {
  readonly service?: ServiceState;
  readonly cluster?: ClusterState;
}

/** An event, as it is kept and shown. */
export const eventSchema = z.object({
  id: text,
  kind: z.enum(eventKinds),
  at: instant,
  service: text.exactOptional(),
  target: text.exactOptional(),
  address: text.exactOptional(),
  from: text.exactOptional(),
  node: text.exactOptional(),
  reason: text.exactOptional(),
  by: text.exactOptional(),
});

/** One event that cannot be read, such as one of a kind that a newer hsdo knows, leaves the others as they are. */
const events = z.array(z.unknown()).transform((all) => all.flatMap((one) => eventSchema.safeParse(one).data ?? []));

const batch = z.object({ seq: z.int().min(1), at: instant, events });

const cursor = z.object({
  seq: count,
  sending: z.object({ from: z.int().min(1), to: z.int().min(1) }).exactOptional(),
  reminders: z.object({ outageAt: instant, count, at: instant }).exactOptional(),
}) satisfies z.ZodType<Cursor>;

const pace = z.object({ sentAt: z.array(instant).max(1000) });

/** @throws HsdoError `rejected`, as all of these, when the text is not such a record */
export const parseHead = (key: string, value: string): EventHead => parseRecord(key, value, head);
export const parseBatch = (key: string, value: string): Batch => parseRecord(key, value, batch);
export const parseCursor = (key: string, value: string): Cursor => parseRecord(key, value, cursor);
export const parsePace = (key: string, value: string): { readonly sentAt: readonly number[] } =>
  parseRecord(key, value, pace);
