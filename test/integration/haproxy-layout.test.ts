import { Agent } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type Delivery, snapshotOf, startDelivery } from '../fixtures/delivery.ts';
import { type Haproxy, renderForTest, serverState, startHaproxy } from '../fixtures/haproxy.ts';
import { request } from '../fixtures/load.ts';
import { freePort } from '../fixtures/ports.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const agent = new Agent({ keepAlive: false });

describeWith(['haproxy'], 'several sockets, several backends', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  const later = <T>(thing: T, end: (thing: T) => Promise<unknown>): T => {
    cleanUp.unshift(() => end(thing));
    return thing;
  };
  const proxy = async (options?: Parameters<typeof startHaproxy>[0]): Promise<Haproxy> =>
    later(await startHaproxy(options), (it) => it.stop());
  const targets = async (count: number): Promise<TestTarget[]> =>
    later(await startTargets(count), (list) => Promise.all(list.map((one) => one.stop())));
  const delivery = async (settings: Parameters<typeof startDelivery>[0]): Promise<Delivery> =>
    later(await startDelivery(settings), (it) => it.remove());
  afterEach(async () => {
    for (const end of cleanUp.splice(0)) await end();
  });

  it('keeps two HAProxies in step, one by Unix socket and one by TCP, and each by itself', async () => {
    const tcpPort = await freePort();
    const [one, two] = [
      await proxy(),
      await proxy({
        config: (places) =>
          renderForTest(places).replace(
            'stats timeout',
            `stats socket ipv4@127.0.0.1:${tcpPort} level admin\n    stats timeout`,
          ),
      }),
    ];
    const list = await targets(3);
    const it = await delivery({ sockets: [one.socketPath, `127.0.0.1:${tcpPort}`], stateFile: one.stateFile });
    it.deliver(snapshotOf(list));
    await it.settled();
    for (const each of [one, two]) {
      for (const [position, { address, port }] of list.entries())
        expect(await serverState(each, `web${position + 1}`)).toMatchObject({
          address,
          port,
          state: 'ready',
          weight: 10,
        });
    }
    await one.halt();
    await until('the first is away', () => it.status().sockets[0]?.isUp === false);
    it.deliver(snapshotOf(list.slice(0, 2)));
    await until('the second follows', async () => (await serverState(two, 'web3')).state === 'maint');
    await one.start();
    await it.settled();
    expect((await serverState(one, 'web3')).state).toBe('maint');
  });

  it('puts the targets of other groups in the fallback backend, or all of them', async () => {
    const haproxy = await proxy({
      template: {
        backends: [
          { name: 'near', baseName: 'near', accepts: 'primary' },
          { name: 'far', baseName: 'far', accepts: 'fallback' },
          { name: 'every', baseName: 'every' },
        ],
      },
    });
    const [near, far] = await targets(2);
    const it = await delivery({
      sockets: [haproxy.socketPath],
      primaryGroups: ['asg-a'],
      backends: [
        { name: 'near', baseName: 'near', accepts: 'primary' },
        { name: 'far', baseName: 'far', accepts: 'fallback' },
        { name: 'every', baseName: 'every', accepts: 'all' },
      ],
    });
    const wish = (target: TestTarget | undefined, group: string) => (target ? { target, group } : undefined);
    it.deliver(snapshotOf([wish(near, 'asg-a'), wish(far, 'asg-b')]));
    await it.settled();
    const states = async (base: string) => [
      (await serverState(haproxy, `${base}1`, base)).state,
      (await serverState(haproxy, `${base}2`, base)).state,
    ];
    expect([await states('near'), await states('far'), await states('every')]).toEqual([
      ['ready', 'maint'],
      ['maint', 'ready'],
      ['ready', 'ready'],
    ]);
    await until('the near one answers', async () => (await request(haproxy.url, agent)).target === near?.address);
    near?.setHealthy(false);
    await until('the far one takes over', async () => (await request(haproxy.url, agent)).target === far?.address);
  });

  it('reports slots that the server-template does not have, and keeps the others in step', async () => {
    const haproxy = await proxy({ template: { size: 2 } });
    const list = await targets(3);
    const it = await delivery({ sockets: [haproxy.socketPath] });
    it.deliver(snapshotOf(list, 4));
    await it.settled();
    expect(it.status().sockets[0]?.backends[0]?.missing).toEqual([3, 4]);
    expect(it.log().find(({ slots }) => slots)).toMatchObject({ slots: [3, 4], backend: 'web' });
    expect((await it.metrics.haproxyMissing.get()).values[0]?.value).toBe(2);
    expect((await serverState(haproxy, 'web2')).state).toBe('ready');
  });

  it('adds the missing servers with the ids of the template where it may, behind the same gate, and again after a reload', async () => {
    const haproxy = await proxy({ template: { size: 2 } });
    const list = await targets(4);
    const it = await delivery({ sockets: [haproxy.socketPath], grow: true, stateFile: haproxy.stateFile });
    it.deliver(snapshotOf(list, 6));
    await it.settled();
    await until('the added ones serve', async () => {
      const [third, fourth] = [await serverState(haproxy, 'web3'), await serverState(haproxy, 'web4')];
      return (
        third.isUp && fourth.isUp && third.state === 'ready' && third.id === 3 && fourth.id === 4 && third.weight === 10
      );
    });
    expect(list[3]?.checks()).toBeGreaterThan(0);
    await haproxy.reload();
    await until('they are back', async () => (await serverState(haproxy, 'web3')).state === 'ready');
    it.deliver(snapshotOf(list.slice(0, 2), 6));
    await until('a freed one rests', async () => (await serverState(haproxy, 'web3')).state === 'maint');
  });

  it('says which backend HAProxy does not have, and keeps the others in step', async () => {
    const haproxy = await proxy();
    const list = await targets(1);
    const it = await delivery({
      sockets: [haproxy.socketPath],
      backends: [
        { name: 'nosuch', baseName: 'web' },
        { name: 'web', baseName: 'web' },
      ],
    });
    it.deliver(snapshotOf(list));
    await until('the good one is in step', async () => (await serverState(haproxy, 'web1')).state === 'ready');
    await it.looks(3);
    expect(it.status().sockets[0]?.backends[0]?.error?.message).toContain('"nosuch"');
    expect(it.log().filter(({ msg }) => msg.includes('reading a backend'))).toHaveLength(1);
  });

  it('does not send the same refused command at every look', async () => {
    const haproxy = await proxy({
      config: (places) => renderForTest(places).replace('balance roundrobin', 'balance static-rr'),
    });
    const list = await targets(1);
    const it = await delivery({ sockets: [haproxy.socketPath] });
    it.deliver(snapshotOf(list));
    await until('the refusal is told', () => it.log().some(({ reason }) => String(reason).includes('static LB')));
    const count = async () => (await it.metrics.haproxyCommands.get()).values[0]?.value ?? 0;
    const before = await count();
    await it.looks(8);
    expect((await count()) - before).toBeLessThanOrEqual(1);
    expect(await serverState(haproxy, 'web1')).toMatchObject({ state: 'ready', address: list[0]?.address });
  });

  it('lets no value become another command, and everything else goes on', async () => {
    const haproxy = await proxy();
    const [good] = await targets(1);
    const bad = (fields: object) => ({ target: { id: 'i', name: 'evil', address: '10.0.0.1', port: 80, ...fields } });
    const hostile = [
      bad({ address: '10.0.0.1; set server web/web1 weight 77' }),
      bad({ address: '10.0.0.1\nset server web/web1 weight 77' }),
      bad({ address: '10.0.0.1 <<' }),
      bad({ address: 'fe80::1%eth0' }),
      bad({ port: 70_000 }),
      bad({ port: 0 }),
      { ...bad({}), weight: 300 },
      bad({ address: 'x'.repeat(20_000) }),
      bad({ address: '\\' }),
    ];
    const it = await delivery({ sockets: [haproxy.socketPath] });
    it.deliver(snapshotOf([good, ...hostile]));
    await it.settled();
    expect(await serverState(haproxy, 'web1')).toMatchObject({ weight: 10, state: 'ready', address: good?.address });
    for (let index = 2; index <= 10; index += 1)
      expect(await serverState(haproxy, `web${index}`)).toMatchObject({
        state: 'maint',
        address: '127.0.0.2',
        weight: 1,
      });
    expect(it.log().filter(({ msg }) => msg === 'a target cannot be delivered')).toHaveLength(9);
  });
});
