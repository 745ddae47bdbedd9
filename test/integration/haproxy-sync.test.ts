import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type Delivery, snapshotOf, startDelivery } from '../fixtures/delivery.ts';
import { type Haproxy, serverState, startHaproxy } from '../fixtures/haproxy.ts';
import { request, startLoad } from '../fixtures/load.ts';
import { startTarget, startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const agent = new Agent({ keepAlive: false });

describeWith(['haproxy'], 'HAProxy follows the snapshot', () => {
  let haproxy: Haproxy;
  let delivery: Delivery;
  let targets: TestTarget[];
  beforeEach(async () => {
    [haproxy, targets] = await Promise.all([startHaproxy(), startTargets(3)]);
    delivery = await startDelivery({ sockets: [haproxy.socketPath], stateFile: haproxy.stateFile });
  });
  afterEach(async () => {
    await delivery.remove();
    await haproxy.stop();
    for (const target of targets) await target.stop();
  });
  const state = (name: string) => serverState(haproxy, name);
  const isUp = (name: string) => until(`${name} is up`, async () => (await state(name)).isUp);

  it('admits targets, moves weights, drains, frees and reuses slots', async () => {
    const [one, two, three] = targets;
    delivery.deliver(snapshotOf([one, two]));
    await delivery.settled();
    expect(await state('web1')).toMatchObject({ address: one?.address, port: one?.port, state: 'ready', weight: 10 });
    await Promise.all([isUp('web1'), isUp('web2')]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => request(haproxy.url, agent)));
    expect(new Set(answers.map(({ target }) => target))).toEqual(new Set([one?.address, two?.address]));

    delivery.deliver(snapshotOf([one && { target: one, weight: 3 }, two && { target: two, isDraining: true }]));
    await delivery.settled();
    expect(await state('web1')).toMatchObject({ weight: 3, state: 'ready', isUp: true });
    expect(await state('web2')).toMatchObject({ weight: 10, state: 'drain' });

    delivery.deliver(snapshotOf([one && { target: one, override: 'maint' }]));
    await delivery.settled();
    expect(await state('web1')).toMatchObject({ state: 'maint', address: one?.address });
    expect(await state('web2')).toMatchObject({ state: 'maint', address: two?.address });

    delivery.deliver(snapshotOf([one, three]));
    await delivery.settled();
    expect(await state('web2')).toMatchObject({ state: 'ready', address: three?.address, port: three?.port });
  });

  it('leaves weights alone where it is told so', async () => {
    await delivery.remove();
    delivery = await startDelivery({ sockets: [haproxy.socketPath], manageWeights: false });
    const [one, two] = targets;
    delivery.deliver(snapshotOf([one && { target: one, weight: 7 }]));
    await delivery.settled();
    expect(await state('web1')).toMatchObject({ address: one?.address, state: 'ready', weight: 1 });
    await haproxy.ask('set server web/web1 weight 42');
    delivery.deliver(snapshotOf([one && { target: one, weight: 8 }, two]));
    await delivery.settled();
    expect(await state('web1')).toMatchObject({ state: 'ready', weight: 42 });
  });

  it('sends nothing while nothing differs', async () => {
    delivery.deliver(snapshotOf(targets));
    await delivery.settled();
    const before = (await delivery.metrics.haproxyCommands.get()).values[0]?.value;
    await delivery.looks(5);
    expect((await delivery.metrics.haproxyCommands.get()).values[0]?.value).toBe(before);
  });

  it('sends no request to a target that is dead, or not ready, when it appears', async () => {
    const [good] = targets;
    const unready = await startTarget({ isHealthy: false });
    const dead = await startTarget();
    await dead.stop();
    delivery.deliver(snapshotOf([good]));
    await delivery.settled();
    await isUp('web1');
    const load = startLoad(haproxy.url);
    delivery.deliver(snapshotOf([good, unready, dead]));
    await until('both were checked', () => unready.checks() > 3);
    expect(await state('web3')).toMatchObject({ state: 'ready', isUp: false });
    expect(unready.requests()).toBe(0);
    unready.setHealthy(true);
    await until('the recovered target gets requests', () => unready.requests() > 0);
    const { fresh, keptAlive } = await load.stop();
    await unready.stop();
    for (const count of [fresh, keptAlive]) {
      expect(count.errors).toEqual([]);
      expect([...count.byStatus.keys()]).toEqual([200]);
      expect(count.byTarget.has(dead.address)).toBe(false);
    }
    expect(
      (await haproxy.ask('show stat web 4 -1'))
        .split('\n')
        .find((row) => row.startsWith('web,web3'))
        ?.split(',')[7],
    ).toBe('0');
  });

  it('cuts no request of a target that is removed and serves on through its drain time', async () => {
    const [one, two] = targets;
    delivery.deliver(snapshotOf([one, two]));
    await delivery.settled();
    await Promise.all([isUp('web1'), isUp('web2')]);
    const slow = Array.from({ length: 6 }, () => request(`${haproxy.url}/slow/1500`, agent));
    await until('both serve', () => (one?.requests() ?? 0) > 0 && (two?.requests() ?? 0) > 0);
    const load = startLoad(haproxy.url);
    delivery.deliver(snapshotOf([one, two && { target: two, isDraining: true }]));
    await delivery.settled();
    const atDrain = two?.requests();
    expect((await Promise.all(slow)).map(({ status, body, target }) => [status, body === target])).toEqual(
      slow.map(() => [200, true]),
    );
    delivery.deliver(snapshotOf([one]));
    await delivery.settled();
    const { fresh, keptAlive } = await load.stop();
    expect([fresh.errors, keptAlive.errors, two?.cut()]).toEqual([[], [], 0]);
    expect(two?.requests()).toBe(atDrain);
  });

  it('sets drift by hand of address, weight and a freed slot back', async () => {
    const [one] = targets;
    delivery.deliver(snapshotOf([one]));
    await delivery.settled();
    await haproxy.ask('set server web/web1 weight 77');
    await until('the weight is back', async () => (await state('web1')).weight === 10);
    await haproxy.ask('set server web/web2 state ready');
    await until('the free slot rests', async () => (await state('web2')).state === 'maint');
    await haproxy.ask('set server web/web1 addr 127.0.0.9 port 9');
    await until('the address is back', async () => (await state('web1')).address === one?.address);
    await until(
      'it serves',
      async () => (await state('web1')).state === 'ready' && (await state('web1')).port === one?.port,
    );
  });

  it('writes a state file that HAProxy reads without complaint', async () => {
    delivery.deliver(snapshotOf([targets[0], undefined, targets[1]]));
    await delivery.settled();
    await until('the file names both', async () => {
      const text = await readFile(haproxy.stateFile, 'utf8');
      return text.includes(' web1 ') && text.includes(' web3 ') && !text.includes(' web2 ');
    });
    await haproxy.reload();
    expect(await state('web1')).toMatchObject({ address: targets[0]?.address, port: targets[0]?.port, state: 'ready' });
    expect(await state('web2')).toMatchObject({ address: '127.0.0.2', state: 'maint' });
  });
});
