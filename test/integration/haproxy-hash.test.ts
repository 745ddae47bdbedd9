import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type Delivery, type Lodger, snapshotOf, startDelivery } from '../fixtures/delivery.ts';
import { type Haproxy, serverState, startHaproxy } from '../fixtures/haproxy.ts';
import { request } from '../fixtures/load.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const pathCount = 5000;

/** Which target answers each of the 5000 paths. */
async function mapping(haproxy: Haproxy): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const found: string[] = new Array(pathCount).fill('');
  let next = 0;
  const walk = async () => {
    for (let path = next++; path < pathCount; path = next++) {
      const { status, target } = await request(`${haproxy.url}/item/${path}`, agent);
      found[path] = status === 200 ? target : `status ${status}`;
    }
  };
  await Promise.all(Array.from({ length: 16 }, walk));
  agent.destroy();
  return found;
}

const differing = (one: readonly string[], other: readonly string[]) =>
  one.flatMap((target, path) => (target === other[path] ? [] : [path]));

describeWith(['haproxy'], 'consistent hashing over the slots', () => {
  let proxies: Haproxy[];
  let delivery: Delivery;
  let targets: TestTarget[];
  const settle = async (wanted: readonly (Lodger | undefined)[]) => {
    delivery.deliver(snapshotOf(wanted));
    await delivery.settled();
    for (const haproxy of proxies) {
      for (const [position, one] of wanted.entries()) {
        const name = `web${position + 1}`;
        if (one) await until(`${name} is up`, async () => (await serverState(haproxy, name)).isUp);
      }
    }
  };
  beforeAll(async () => {
    const template = { balance: 'hash path' };
    proxies = [
      await startHaproxy({ template }),
      await startHaproxy({ template: { ...template, size: 20, backends: [{ name: 'web', baseName: 'web' }] } }),
    ];
    targets = await startTargets(10);
    delivery = await startDelivery({ sockets: proxies.map(({ socketPath }) => socketPath) });
  });
  afterAll(async () => {
    await delivery.remove();
    for (const each of [...proxies, ...targets]) await each.stop();
  });

  it('moves exactly the paths of a target that leaves, none when it is back, and none between two HAProxies', async () => {
    const [first, second] = proxies;
    if (!first || !second) throw new Error('two HAProxies are needed');
    await settle(targets);
    const start = await mapping(first);
    expect(new Set(start)).toEqual(new Set(targets.map(({ address }) => address)));
    expect(differing(start, await mapping(second))).toEqual([]);

    const leaver = targets[4]?.address;
    await settle(targets.map((target, position) => (position === 4 ? undefined : target)));
    const without = await mapping(first);
    const own = start.flatMap((target, path) => (target === leaver ? [path] : []));
    expect(differing(start, without)).toEqual(own);
    expect(own.length).toBeLessThan(pathCount * 0.15);

    await settle(targets);
    expect(differing(start, await mapping(first))).toEqual([]);
    expect(differing(start, await mapping(second))).toEqual([]);
    await first.restart();
    await settle(targets);
    expect(differing(start, await mapping(first))).toEqual([]);
  });
});
