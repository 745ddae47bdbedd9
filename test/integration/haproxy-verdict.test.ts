import { Agent } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type Delivery, type SlotWish, snapshotOf, startDelivery } from '../fixtures/delivery.ts';
import { type Haproxy, serverState, startHaproxy } from '../fixtures/haproxy.ts';
import { request, startLoad } from '../fixtures/load.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const pathCount = 600;

describeWith(['haproxy'], 'a verdict in HAProxy', () => {
  let haproxy: Haproxy;
  let delivery: Delivery;
  let targets: TestTarget[];
  beforeEach(async () => {
    [haproxy, targets] = await Promise.all([startHaproxy({ template: { balance: 'hash path' } }), startTargets(3)]);
    delivery = await startDelivery({ sockets: [haproxy.socketPath] });
  });
  afterEach(async () => {
    await delivery.remove();
    await haproxy.stop();
    for (const target of targets) await target.stop();
  });
  const state = (name: string) => serverState(haproxy, name);
  /** Delivers the three targets, the second as told, and waits until HAProxy is in order. */
  const deliver = async (second: Partial<SlotWish> = {}) => {
    delivery.deliver(snapshotOf(targets.map((target, n) => ({ target, weight: 7, ...(n === 1 ? second : {}) }))));
    await delivery.settled();
  };
  const allUp = () =>
    until('all are up', async () => (await Promise.all(['web1', 'web2', 'web3'].map(state))).every(({ isUp }) => isUp));
  const mapping = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const paths = Array.from({ length: pathCount }, (_, n) => request(`${haproxy.url}/item/${n}`, agent));
    const found = (await Promise.all(paths)).map(({ target }) => target);
    agent.destroy();
    return found;
  };

  it('takes a target out and lets it in again under load: no request fails, none goes to it, all paths come back', async () => {
    const [, second] = targets;
    if (!second) throw new Error('a second target is needed');
    await deliver();
    await allUp();
    const start = await mapping();
    const own = start.indexOf(second.address);
    const load = startLoad(haproxy.url);
    const agent = new Agent();
    const running = Array.from({ length: 40 }, (_, n) => request(`${haproxy.url}/slow/${1200 + n}`, agent));
    await until('all serve', () => targets.every((target) => target.requests() > 10));

    await deliver({ out: 'down' });
    expect(await state('web2')).toMatchObject({ state: 'drain', weight: 7, address: second.address });
    // Those that were under way when the command was read may still arrive.
    const answers = await Promise.all(running);
    expect(answers.map(({ status, body, target }) => [status, body === target])).toEqual(
      answers.map(() => [200, true]),
    );
    expect(answers.some(({ target }) => target === second.address)).toBe(true);
    const [atOut, checks, others] = [second.requests(), second.checks(), targets[0]?.requests() ?? 0];
    await until('the others serve and it is still checked', () => {
      return (targets[0]?.requests() ?? 0) > others + 100 && second.checks() > checks + 2;
    });
    const without = await mapping();
    expect(second.requests()).toBe(atOut);
    expect(start.flatMap((address, n) => (address === without[n] ? [] : [address]))).toEqual(
      start.filter((address) => address === second.address),
    );
    expect(await state('web2')).toMatchObject({ state: 'drain', weight: 7, isUp: true });

    await deliver();
    expect(await state('web2')).toMatchObject({ state: 'ready', weight: 7, isUp: true });
    expect((await request(`${haproxy.url}/item/${own}`, agent)).target).toBe(second.address);
    expect(await mapping()).toEqual(start);
    const { fresh, keptAlive } = await load.stop();
    for (const count of [fresh, keptAlive]) {
      expect(count.errors).toEqual([]);
      expect([...count.byStatus.keys()]).toEqual([200]);
    }
    expect(targets.map((target) => target.cut())).toEqual([0, 0, 0]);
  });

  it('stands against an override of ready and a ready by hand, and behind one of maint', async () => {
    await deliver({ out: 'down', override: 'ready' });
    expect((await state('web2')).state).toBe('drain');
    await haproxy.ask('set server web/web2 state ready');
    await until('it is out again', async () => (await state('web2')).state === 'drain');
    await deliver({ out: 'down', override: 'maint' });
    expect((await state('web2')).state).toBe('maint');
    await deliver({ out: 'down' });
    expect((await state('web2')).state).toBe('drain');
    await deliver();
    expect((await state('web2')).state).toBe('ready');
    expect(delivery.status().sockets[0]?.backends[0]?.held).toEqual([]);
  });

  it('keeps a manual maint when it takes the target out and when it lets it in', async () => {
    await deliver();
    await allUp();
    await haproxy.ask('set server web/web2 state maint');
    await delivery.looks(2);
    for (const second of [{ out: 'down' as const }, {}]) {
      await deliver(second);
      expect((await state('web2')).state).toBe('maint');
    }
    await haproxy.ask('set server web/web2 state ready');
    await delivery.looks(2);
    expect((await state('web2')).state).toBe('ready');
    await deliver({ out: 'down' });
    expect((await state('web2')).state).toBe('drain');
  });
});
