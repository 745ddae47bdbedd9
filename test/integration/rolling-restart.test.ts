import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Notice } from '../../src/model/notice.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { startTargets } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';
import { startWebhookSink } from '../fixtures/webhook-sink.ts';

const nodeIds = ['n1', 'n2', 'n3'];

describe('a rolling restart of all servers', () => {
  it('publishes nothing, and is told of as changes of the leader alone; reloads of all of them are not told of', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-rolling-'));
    const [targets, sink] = [await startTargets(3), await startWebhookSink()];
    const config = {
      store: { kind: 'sqlite', path: join(folder, 'hsdo.db') },
      cluster: { leaseTtlSeconds: 2, heartbeatSeconds: 1, nodeTtlSeconds: 60 },
      intervalSeconds: 0.2,
      notify: [{ kind: 'webhook', name: 'all', url: sink.url, groupSeconds: 0 }],
      services: [
        {
          name: 'web',
          size: 4,
          source: { kind: 'static', targets: targets.map(({ address, port }) => ({ address, port })) },
          check: { kind: 'tcp', intervalSeconds: 0.3 },
          weight: { min: 1, max: 3, increase: 1, intervalSeconds: 0.1 },
        },
      ],
    };
    const servers: Hsdo[] = [];
    const told = () => sink.posted.flatMap(({ body }) => (JSON.parse(body) as Notice).events);
    const calm = async (server: Hsdo) => {
      const { services, lease, observers } = await server.status();
      const [web] = services;
      const isCalm = lease?.holder !== undefined && observers.length === 3 && observers.every(({ isFresh }) => isFresh);
      if (isCalm && web?.verdicts?.up === 3 && web.inDoubt === undefined) return web;
      throw new Error(JSON.stringify({ lease, observers, web }));
    };
    try {
      for (const nodeId of nodeIds) servers.push(await startHsdo({ role: 'server', nodeId, config }));
      const [first] = servers as [Hsdo, Hsdo, Hsdo];
      const before = await until('all three agree', () => calm(first), { timeoutMs: 30_000 });
      await until('the service is told of', () => told().some(({ kind }) => kind === 'service-up'));
      for (const server of servers) {
        expect(await server.stop()).toBe(0);
        await server.start();
        await until('all is calm again', () => calm(server), { timeoutMs: 30_000 });
      }
      const changes = () => told().filter(({ kind }) => kind === 'new-leader');
      await until('the last leader is told of', async () => {
        const { lease } = await first.status();
        return changes().at(-1)?.node === lease?.holder;
      });
      const after = await calm(first);
      expect([after.revision, after.epoch, after.publishedAt]).toEqual([
        before.revision,
        before.epoch,
        before.publishedAt,
      ]);
      expect(changes().length).toBeGreaterThan(1);
      expect(new Set(told().map(({ kind }) => kind))).toEqual(new Set(['service-up', 'new-leader']));
      const toldSoFar = told().length;
      for (const server of servers) {
        server.hangUp();
        await until('it has read its configuration anew', () => server.log().includes('is in use'));
        await until('all is calm again', () => calm(server), { timeoutMs: 30_000 });
      }
      expect(await calm(first)).toMatchObject({ revision: after.revision, epoch: after.epoch });
      expect(told().slice(toldSoFar)).toEqual([]);
    } finally {
      for (const server of servers) await server.remove();
      for (const target of targets) await target.stop();
      await sink.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
