import { afterEach, describe, expect, it } from 'vitest';
import { startAgent } from '../fixtures/agent.ts';
import { startAgentServer } from '../fixtures/agent-server.ts';
import { startFileSource } from '../fixtures/changing-source.ts';
import { describeWith } from '../fixtures/component.ts';
import { serverState, startHaproxy } from '../fixtures/haproxy.ts';
import { startHsdo } from '../fixtures/hsdo.ts';
import { startLoad } from '../fixtures/load.ts';
import { startTargets } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function targetsOf(count: number) {
  const targets = await startTargets(count);
  ends.push(...targets.map((target) => () => target.stop()));
  return targets;
}

describeWith(['haproxy'], 'SIGHUP of a server and client in one', () => {
  it('while the source is away leaves HAProxy and the list alone, and no request finds nobody', async () => {
    const [haproxy, targets, source] = [await startHaproxy(), await targetsOf(3), await startFileSource()];
    ends.push(() => haproxy.stop(), source.remove);
    await source.set(targets);
    const configured = (more: object) => ({
      intervalSeconds: 0.2,
      services: [
        {
          name: 'web',
          size: 6,
          source: source.config,
          check: { kind: 'tcp', intervalSeconds: 0.2 },
          weight: { min: 1, max: 3, increase: 1, intervalSeconds: 0.1 },
          haproxy: { sockets: [haproxy.socketPath], backends: [{ name: 'web', baseName: 'web' }] },
          ...more,
        },
      ],
    });
    const hsdo = await startHsdo({ role: 'both', nodeId: 's1', config: configured({}) });
    ends.push(hsdo.remove);
    const isUp = async (n: number) => (await serverState(haproxy, `web${n}`)).isUp;
    await until('all serve', async () => (await isUp(1)) && (await isUp(2)) && (await isUp(3)));
    const [before, commands] = [await hsdo.slots('web'), await hsdo.metric('hsdo_haproxy_commands_total')];
    const load = startLoad(haproxy.url);
    await source.takeAway();
    await hsdo.configure(configured({ drainSeconds: 1 }));
    hsdo.hangUp();
    await until('it is in use', () => hsdo.log().includes('the configuration on disk is in use'));
    // That the source is away is known only once it was asked again; what it said before stands.
    await until('it is missed', async () => {
      const { services } = await hsdo.status();
      return services[0]?.sources.some(({ failures, targets: known }) => failures > 1 && known === 3);
    });
    await targets[2]?.stop();
    await until('a target that dies is noticed', async () =>
      (await hsdo.slots('web')).some((slot) => slot.state === 'taken' && slot.health?.verdict === 'down'),
    );
    await targets[2]?.start();
    await until('the list is as before', async () => {
      const slots = await hsdo.slots('web');
      return (
        slots.every((slot) => slot.state !== 'taken' || slot.health?.verdict === 'up') && slots.length === before.length
      );
    });
    await source.bringBack();
    const { fresh, keptAlive } = await load.stop();
    const taken = (slots: typeof before) => slots.map((slot) => (slot.state === 'taken' ? slot.target.id : slot.state));
    expect(taken(await hsdo.slots('web'))).toEqual(taken(before));
    expect([fresh.byStatus.get(503), keptAlive.byStatus.get(503)]).toEqual([undefined, undefined]);
    expect(fresh.refused + keptAlive.refused).toBe(0);
    expect(await hsdo.metric('hsdo_haproxy_up')).toEqual(new Map([[expect.any(String), 1]]));
    expect([...commands.values()][0]).toBeGreaterThan(0);
  });

  it('moves a service to another backend, and leaves the one before as it is', async () => {
    const [haproxy, targets] = [await startHaproxy(), await targetsOf(2)];
    ends.push(() => haproxy.stop());
    const configured = (name: string) => ({
      intervalSeconds: 0.2,
      services: [
        {
          name,
          size: 4,
          source: { kind: 'static', targets: targets.map(({ address, port }) => ({ address, port })) },
          haproxy: { sockets: [haproxy.socketPath], backends: [{ name: 'web', baseName: 'web' }] },
        },
      ],
    });
    const hsdo = await startHsdo({ role: 'both', nodeId: 's1', config: configured('web') });
    ends.push(hsdo.remove);
    const addresses = async () => [await serverState(haproxy, 'web1'), await serverState(haproxy, 'web2')];
    const serving = async () => (await addresses()).map(({ address, isUp }) => isUp && address).join();
    const all = targets.map(({ address }) => address).join();
    await until('both serve', async () => (await serving()) === all);
    await hsdo.configure(configured('shop'));
    hsdo.hangUp();
    await until('the new service alone keeps it', async () => {
      const { services } = await hsdo.status();
      return services.map(({ name, clients }) => `${name} ${clients.length}`).join() === 'shop 1';
    });
    expect(await serving()).toBe(all);
    expect([...(await hsdo.metric('hsdo_server_weight')).keys()].join()).not.toContain('service="web"');
  });
});

describe('SIGHUP of an agent', () => {
  it('works for another server from then on, and with a faulty file for those before', async () => {
    const [one, other, targets] = [await startAgentServer(), await startAgentServer(), await targetsOf(1)];
    ends.push(one.close, other.close);
    const [target] = targets;
    const place = { check_name: 'one', domain: 'web.failover', target_ip: target?.address, port: target?.port };
    for (const server of [one, other]) server.tasks = [{ ...place, type: 'tcp', timeout_sec: 1, interval_sec: 0.2 }];
    const configured = (url: unknown) => ({
      servers: [{ name: 'master', url, token: 'secret', tags: ['test'] }],
      tasksSeconds: 0.2,
      batchSeconds: 0.05,
    });
    const agent = await startAgent('example', configured(one.url));
    ends.push(agent.remove);
    await until('it reports', () => one.taken.length > 0);
    await agent.configure(configured(7));
    agent.hangUp();
    await until('it is refused', () => agent.log().includes('the reload was refused'));
    const before = one.taken.length;
    await until('it reports all the same', () => one.taken.length > before);
    await agent.configure(configured(other.url));
    agent.hangUp();
    await until('it reports to the other', () => other.taken.length > 0);
    const [last, gathered] = [one.taken.length, other.taken.length];
    await until('it goes on', () => other.taken.length > gathered + 2);
    expect(one.taken.length).toBe(last);
    expect([...(await agent.metric('hsdo_config_last_reload_successful')).values()]).toEqual([1]);
  });
});
