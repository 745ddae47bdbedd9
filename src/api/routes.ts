import { z } from 'zod';
import { version } from '../telemetry/version.ts';
import { changes } from './change-routes.ts';
import { type Route, route } from './route.ts';

const mostShown = 1000;
const limit = z.coerce.number().int().min(1).max(mostShown).default(100);

const open: readonly Route[] = [
  route({
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process answers',
    role: 'nobody',
    answer: 'Alive',
    handle: async () => ({ status: 'ok' }),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    summary: 'Whether it does its work, and what keeps it from that (then with 503)',
    role: 'nobody',
    answer: 'Readiness',
    async handle({ view }) {
      const problems = [...view.problems()];
      return { status: problems.length === 0 ? 'ready' : 'not ready', problems };
    },
    status: ({ status }) => (status === 'ready' ? 200 : 503),
  }),
];

const cluster: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/version',
    summary: 'Version of hsdo and of Node.js',
    role: 'read',
    answer: 'Version',
    handle: async () => ({ version, node: process.version }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/openapi.json',
    summary: 'This document',
    role: 'read',
    answer: 'Document',
    handle: async ({ document }) => document,
  }),
  route({
    method: 'GET',
    path: '/api/v1/status',
    summary: 'Everything that one process knows: election, store, services, sources, clients',
    role: 'read',
    answer: 'Status',
    handle: ({ view }) => view.status(),
  }),
  route({
    method: 'GET',
    path: '/api/v1/stream',
    summary:
      'All of this at once, with `service=NAME` that one in full; as server-sent events for `Accept: text/event-stream`',
    role: 'read',
    query: z.strictObject({ service: z.string().min(1).max(64).optional() }),
    answer: 'Frame',
    handle: ({ live, query }) => live.frame(query.service),
    stream: ({ live, query }) => live.stream(query.service),
  }),
  route({
    method: 'GET',
    path: '/api/v1/cluster',
    summary: 'The cluster at a glance: leader, epoch, store, problems',
    role: 'read',
    answer: 'Cluster',
    handle: ({ view }) => view.cluster(),
  }),
  route({
    method: 'GET',
    path: '/api/v1/nodes',
    summary: 'Servers and agents, with who leads and who was not heard of',
    role: 'read',
    answer: 'Nodes',
    handle: async ({ view }) => ({ nodes: [...(await view.nodes())] }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/events',
    summary: 'What happened, the newest first',
    role: 'read',
    query: z.strictObject({ service: z.string().min(1).max(64).optional(), limit }),
    answer: 'Events',
    async handle({ view, query }) {
      const { service } = query;
      const events = await view.events({ limit: query.limit, ...(service === undefined ? {} : { service }) });
      return { events: [...events] };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/audit',
    summary: 'Who changed what and when, the newest first',
    role: 'operate',
    query: z.strictObject({ limit }),
    answer: 'Audit',
    handle: async ({ view, query }) => ({ entries: [...(await view.audit(query.limit))] }),
  }),
];

const services: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/services',
    summary: 'All services',
    role: 'read',
    answer: 'Services',
    handle: async ({ view }) => ({ services: [...(await view.services())] }),
  }),
  route({
    method: 'GET',
    path: '/api/v1/services/{service}',
    summary: 'One service in full: verdicts, votes, statistics of its checks',
    role: 'read',
    answer: 'Service',
    handle: ({ view, param }) => view.service(param('service')),
  }),
  route({
    method: 'GET',
    path: '/api/v1/services/{service}/slots',
    summary: 'Its list of slots',
    role: 'read',
    answer: 'Slots',
    async handle({ view, param }) {
      const slots = await view.slots(param('service'));
      return slots && { service: param('service'), slots: [...slots] };
    },
  }),
  route({
    method: 'GET',
    path: '/api/v1/services/{service}/candidates',
    summary: 'The targets that one may switch over to',
    role: 'read',
    answer: 'Candidates',
    handle: ({ view, param }) => view.candidates(param('service')),
  }),
  route({
    method: 'GET',
    path: '/api/v1/services/{service}/overrides',
    summary: 'What operators want of its targets',
    role: 'read',
    answer: 'Overrides',
    async handle({ view, param }) {
      const service = await view.service(param('service'));
      return service && { service: service.name, overrides: [...service.overrides] };
    },
  }),
];

/** Everything that the API can be asked, in the order of its document. */
export const routes: readonly Route[] = [...open, ...cluster, ...services, ...changes];
