import { afterEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { startEtcd } from '../fixtures/etcd.ts';
import { startHsdo } from '../fixtures/hsdo.ts';
import { until } from '../fixtures/until.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const members = [0, 1, 2];

describeWith(['etcd'], 'a store that hangs', () => {
  it('leaves people at every server with what was known of the services, by status and services alike', async () => {
    const etcd = await startEtcd();
    closers.push(() => etcd.stop());
    const config = {
      services: [{ name: 'web', size: 6, source: { kind: 'static', targets: ['10.0.0.1:80', '10.0.0.2:80'] } }],
      store: { kind: 'etcd', endpoints: [...etcd.endpoints] },
      intervalSeconds: 0.5,
      cluster: { leaseTtlSeconds: 3 },
    };
    const start = async (nodeId: string) => {
      const server = await startHsdo({ role: 'server', nodeId, config });
      closers.push(() => server.remove());
      return server;
    };
    const leader = await start('first');
    await until('the list is published', async () => (await leader.slots('web')).length === 6);
    const follower = await start('second');
    await until('the follower has read it', async () => (await follower.status()).services[0]?.taken === 2);

    closers.push(() => {
      for (const n of members) etcd.signal(n, 'SIGCONT');
    });
    for (const n of members) etcd.signal(n, 'SIGSTOP');
    await until('the leader writes no more', async () => (await leader.status()).lease?.state === 'suspended');
    for (const server of [leader, follower]) {
      const status = await server.cli('status');
      expect(status).toMatchObject({ code: 0, stderr: '' });
      expect(status.stdout).toMatch(/^web +ok +1 +2 /m);
      expect(status.stdout).toContain('! store: ');
      expect(await server.cli('services')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^web +ok /m) });
    }
  });
});
