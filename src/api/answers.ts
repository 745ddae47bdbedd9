import { z } from 'zod';
import { slotSchema } from '../model/snapshot-schema.ts';
import { auditEntrySchema } from '../publish/audit.ts';
import { eventSchema } from '../publish/events-format.ts';
import { count, instant, milliseconds, named } from './answer-parts.ts';
import type { AskedSwitchover, CandidatesView, ClusterView, NodeView, StoreView } from './cluster-view.ts';
import type { HistoryView } from './pulse.ts';
import { observerAnswer, overrideAnswer, serviceAnswer, serviceDetailAnswer } from './service-answers.ts';
import type { StatusView } from './view.ts';

// What the API answers, as the OpenAPI document tells it. The types say what the code gives; that the two agree is held
// by the compiler for what is there, and by a test on real answers for what is there beside it.

const problem = z.object({ part: z.string(), message: z.string() });

const store: z.ZodType<StoreView> = z.object({
  kind: z.string(),
  lastSuccessAt: instant.exactOptional(),
  lastError: z.string().exactOptional(),
  refusals: z.array(named),
});

const dns = z.object({
  addresses: z.array(z.string()),
  transport: z.enum(['batch', 'dgram']).exactOptional(),
  reason: z.string().exactOptional(),
  names: count,
  queriesPerSecond: z.number().min(0),
  store,
  services: z.array(
    z.object({
      name: z.string(),
      domains: z.array(z.string()),
      revision: count,
      silentSinceAt: instant.exactOptional(),
    }),
  ),
  upstreams: z.array(z.object({ server: z.string(), answers: count, failures: count, isUp: z.boolean() })),
});

const election = z.enum(['leader', 'suspended', 'follower']);

const lease = z.object({ state: election, holder: z.string().exactOptional(), epoch: count });

const status: z.ZodType<StatusView> = z.object({
  node: z.string(),
  version: z.string(),
  roles: z.array(z.string()),
  at: instant,
  store,
  lease: lease.exactOptional(),
  problems: z.array(problem),
  observers: z.array(observerAnswer),
  services: z.array(serviceAnswer),
  dns: dns.exactOptional(),
});

const cluster: z.ZodType<ClusterView> = z.object({
  name: z.string(),
  node: z.string(),
  version: z.string(),
  at: instant,
  leader: z.string().exactOptional(),
  epoch: count,
  state: election.exactOptional(),
  store,
  nodes: count,
  problems: z.array(problem),
});

const node: z.ZodType<NodeView> = z.object({
  id: z.string(),
  kind: z.enum(['server', 'agent']),
  isLeader: z.boolean(),
  isHealthy: z.boolean(),
  silentMs: milliseconds.exactOptional(),
  isTransient: z.boolean(),
  abstains: z.string().exactOptional(),
  services: z.array(z.string()),
});

const candidates: z.ZodType<CandidatesView> = z.object({
  service: z.string(),
  active: z.string().exactOptional(),
  activeName: z.string().exactOptional(),
  candidates: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      address: z.string(),
      port: count.exactOptional(),
      priority: count,
      sinceAt: instant,
    }),
  ),
});

const history: z.ZodType<HistoryView> = z.object({
  stepMs: count,
  endAt: instant,
  targets: z.array(z.object({ id: z.string(), health: z.string(), totalMs: z.array(milliseconds.nullable()) })),
});

/** What the dashboard shows; members that only servers know, or the store does not tell now, are left out. */
const frame = z.object({
  at: instant,
  cluster,
  roles: z.array(z.string()),
  observers: z.array(observerAnswer),
  services: z.array(serviceAnswer),
  lease: lease.exactOptional(),
  nodes: z.array(node).exactOptional(),
  events: z.array(eventSchema).exactOptional(),
  dns: dns.exactOptional(),
  dnsHistory: z.array(milliseconds.nullable()).exactOptional(),
  service: serviceDetailAnswer.exactOptional(),
  slots: z.array(slotSchema).exactOptional(),
  history: history.exactOptional(),
});

const askedSwitchover: z.ZodType<AskedSwitchover> = z.object({
  token: z.string(),
  targetId: z.string(),
  targetName: z.string(),
});
const asked = z.literal('asked').describe('kept in the store; the leader does it in its next round');

/** Everything that the API answers, under the names that the document has for it. */
export const answers = {
  Error: z.object({ error: z.string().describe('one sentence that says what was expected') }),
  Alive: z.object({ status: z.literal('ok') }),
  Readiness: z.object({ status: z.enum(['ready', 'not ready']), problems: z.array(problem) }),
  Version: z.object({ version: z.string(), node: z.string().describe('the version of Node.js') }),
  Document: z.looseObject({ openapi: z.string() }),
  Status: status,
  Frame: frame,
  Cluster: cluster,
  Nodes: z.object({ nodes: z.array(node) }),
  Services: z.object({ services: z.array(serviceAnswer) }),
  Service: serviceDetailAnswer,
  Slots: z.object({ service: z.string(), slots: z.array(slotSchema) }),
  Candidates: candidates,
  Overrides: z.object({ service: z.string(), overrides: z.array(overrideAnswer) }),
  Events: z.object({ events: z.array(eventSchema) }),
  Audit: z.object({ entries: z.array(auditEntrySchema) }),
  Asked: z.object({ status: asked }),
  AskedSwitchover: z.object({ status: asked, switchover: askedSwitchover }),
  AskedMaintenance: z.object({ status: asked, untilAt: z.number().min(0).describe('wall-clock milliseconds') }),
  AskedPurge: z.object({ status: asked, services: z.array(z.string()).describe('those that had a switchover') }),
  Done: z.object({ status: z.literal('done') }),
} as const satisfies Readonly<Record<string, z.ZodType>>;

export type AnswerName = keyof typeof answers;
