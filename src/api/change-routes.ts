import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { overrides } from '../model/slot.ts';
import { type Route, route } from './route.ts';

const token = z.string().min(1).max(200);
const target = z.string().min(1).max(255);

const decommissionOf = (path: string, name: string): Route =>
  route({
    method: 'DELETE',
    path,
    summary: 'Strikes a server or agent that will not come back off the cluster; refused while it is healthy',
    role: 'operate',
    answer: 'Done',
    async handle({ view, param, caller }) {
      const node = param(name);
      await view.decommission(node, caller);
      return { status: 'done' };
    },
  });

/** Everything that changes something: by POST and DELETE alone, and each leaves a record of who asked. */
export const changes: readonly Route[] = [
  decommissionOf('/api/v1/nodes/{node}', 'node'),
  decommissionOf('/api/v1/observers/{observer}', 'observer'),
  route({
    method: 'POST',
    path: '/api/v1/services/{service}/switchover',
    summary: 'Makes one target the active one, until that is purged or the target goes down',
    role: 'operate',
    body: z.strictObject({ target: target.describe('id or name') }),
    answer: 'AskedSwitchover',
    async handle({ view, param, body, caller }) {
      const switchover = await view.switchover(param('service'), body.target, caller);
      return { status: 'asked', switchover };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/services/{service}/switchover',
    summary: 'Purges the switchover of a service',
    role: 'operate',
    answer: 'AskedPurge',
    async handle({ view, param, caller }) {
      const purged = await view.purge([param('service')], caller);
      if (purged.length > 0) return { status: 'asked', services: [...purged] };
      throw new HsdoError('rejected', `Cannot purge: service "${param('service')}" has no switchover`);
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/switchover',
    summary: 'Purges the switchovers of all services',
    role: 'operate',
    answer: 'AskedPurge',
    async handle({ view, caller }) {
      return { status: 'asked', services: [...(await view.purge(view.serviceNames(), caller))] };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/services/{service}/overrides',
    summary: 'Puts a target into drain or maint, or with ready ends a hold that somebody put on it in HAProxy',
    role: 'operate',
    body: z.strictObject({ target: target.describe('id or name'), state: z.enum(overrides) }),
    answer: 'Asked',
    async handle({ view, param, body, caller }) {
      await view.override(param('service'), body.target, body.state, caller);
      return { status: 'asked' };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/services/{service}/overrides/{target}',
    summary: 'Gives a target back to hsdo',
    role: 'operate',
    answer: 'Asked',
    async handle({ view, param, caller }) {
      await view.override(param('service'), param('target'), undefined, caller);
      return { status: 'asked' };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/services/{service}/maintenance',
    summary: 'Puts a service as a whole under maintenance: nobody is told of it meanwhile, and its targets serve on',
    role: 'operate',
    body: z.strictObject({ minutes: z.number().min(1).max(10_080) }),
    answer: 'AskedMaintenance',
    async handle({ view, param, body, caller }) {
      const untilAt = await view.maintain(param('service'), body.minutes, caller);
      return { status: 'asked', untilAt: untilAt ?? 0 };
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/services/{service}/maintenance',
    summary: 'Ends a maintenance that was begun by hand',
    role: 'operate',
    answer: 'Asked',
    async handle({ view, param, caller }) {
      await view.maintain(param('service'), undefined, caller);
      return { status: 'asked' };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/services/{service}/hold/release',
    summary: 'Lets the guard go on with a removal that it holds',
    role: 'operate',
    body: z.strictObject({ token: token.describe('the hold, as the service shows it') }),
    answer: 'Asked',
    async handle({ view, param, body, caller }) {
      await view.releaseHold(param('service'), body.token, caller);
      return { status: 'asked' };
    },
  }),
  route({
    method: 'POST',
    path: '/api/v1/services/{service}/primary/forget',
    summary: 'Forgets which primaries the service had, for a group that was set up anew',
    role: 'operate',
    answer: 'Asked',
    async handle({ view, param, caller }) {
      await view.forgetPrimary(param('service'), caller);
      return { status: 'asked' };
    },
  }),
];
