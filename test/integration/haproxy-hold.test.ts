import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type Delivery, snapshotOf, startDelivery } from '../fixtures/delivery.ts';
import { type Haproxy, renderForTest, serverState, startHaproxy } from '../fixtures/haproxy.ts';
import { freePort } from '../fixtures/ports.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

describeWith(['haproxy'], 'a server that an operator holds by hand', () => {
  let haproxy: Haproxy;
  let delivery: Delivery;
  let targets: TestTarget[];
  const state = async (name = 'web1') => (await serverState(haproxy, name)).state;
  const held = () => delivery.status().sockets[0]?.backends[0]?.held ?? [];
  const hold = async (how: 'drain' | 'maint') => {
    await haproxy.ask(`set server web/web1 state ${how}`);
    await until('the hold is seen', () => held()[0]?.state === how);
  };
  beforeEach(async () => {
    [haproxy, targets] = await Promise.all([startHaproxy(), startTargets(2)]);
    delivery = await startDelivery({ sockets: [haproxy.socketPath], stateFile: haproxy.stateFile });
    delivery.deliver(snapshotOf(targets));
    await delivery.settled();
  });
  afterEach(async () => {
    await delivery.remove();
    await haproxy.stop();
    for (const target of targets) await target.stop();
  });

  for (const how of ['drain', 'maint'] as const) {
    it(`stays in ${how} over looks, weights, a restart of the client and reloads, until he sets ready`, async () => {
      await hold(how);
      await delivery.looks(10);
      expect(await state()).toBe(how);
      delivery.deliver(snapshotOf(targets.map((target) => ({ target, weight: 11 }))));
      await delivery.settled();
      expect(await serverState(haproxy, 'web1')).toMatchObject({ state: how, weight: 11 });
      await haproxy.reload();
      expect(await state()).toBe(how);
      await delivery.stop();
      await haproxy.reload();
      await delivery.start();
      await delivery.looks(3);
      expect([await state(), held()[0]?.state]).toEqual([how, how]);
      expect((await delivery.metrics.haproxyManual.get()).values[0]?.value).toBe(1);
      await haproxy.ask('set server web/web1 state ready');
      await until('the release is seen', () => held().length === 0);
      await delivery.looks(3);
      expect(await state()).toBe('ready');
      const told = delivery.log().filter(({ msg }) => /by hand/.test(msg));
      expect(told.map(({ server, state: what }) => `${String(server)} ${String(what)}`)).toContain(`web1 ${how}`);
      expect(told.at(-1)?.msg).toBe('a server is no longer held by hand');
    });
  }

  it('is found by a client that was away when it happened', async () => {
    await delivery.looks(2);
    await delivery.stop();
    await haproxy.ask('set server web/web1 state maint');
    await delivery.start();
    await until('the hold is seen', () => held().length === 1);
    await delivery.looks(3);
    expect(await state()).toBe('maint');
  });

  it('stays held when a reload without a state file loses everything', async () => {
    await hold('maint');
    await haproxy.configure(renderForTest(haproxy, { withoutStateFile: true }));
    await haproxy.reload();
    await until('the other serves', async () => (await state('web2')) === 'ready');
    await delivery.settled();
    expect(await serverState(haproxy, 'web1')).toMatchObject({ state: 'maint', address: targets[0]?.address });
    expect(held()).toHaveLength(1);
  });

  it('is set free by an override to ready, and by another target in its slot', async () => {
    await hold('maint');
    delivery.deliver(snapshotOf(targets.map((target) => ({ target, override: 'ready' as const }))));
    await delivery.settled();
    expect([await state(), held()]).toEqual(['ready', []]);
    delivery.deliver(snapshotOf(targets));
    await delivery.settled();
    await hold('drain');
    delivery.deliver(snapshotOf([targets[1]]));
    await delivery.settled();
    expect([await state(), held()]).toEqual(['ready', []]);
  });

  it('does not count as held where it was made ready against the snapshot', async () => {
    delivery.deliver(snapshotOf([targets[0] && { target: targets[0], isDraining: true }, targets[1]]));
    await delivery.settled();
    await haproxy.ask('set server web/web1 state ready');
    await until('it drains again', async () => (await state()) === 'drain');
    expect(held()).toEqual([]);
  });
});

/** An agent that says the same to everyone who connects (HAProxy configuration manual, "agent-check"). */
async function startAgent(): Promise<{ port: number; say(text: string): void; stop(): void }> {
  let answer = 'up';
  const port = await freePort();
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${answer}\n`);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    say(text) {
      answer = text;
    },
    stop: () => void server.close(),
  };
}

describeWith(['haproxy'], 'a server with an agent-check', () => {
  it('is left to its agent once its target is there', async () => {
    const agent = await startAgent();
    const haproxy = await startHaproxy({
      config: (places) =>
        renderForTest(places, { size: 1 }).replace(
          ' disabled init-addr',
          ` agent-check agent-port ${agent.port} agent-addr 127.0.0.1 agent-inter 100ms disabled init-addr`,
        ),
    });
    const [target] = await startTargets(1);
    const delivery = await startDelivery({ sockets: [haproxy.socketPath], stateFile: haproxy.stateFile });
    const state = () => serverState(haproxy, 'web1');
    try {
      delivery.deliver(snapshotOf([target], 1));
      await delivery.settled();
      await until('it is ready', async () => (await state()).state === 'ready' && (await state()).isUp);
      agent.say('drain');
      await until('the agent drains it', async () => (await state()).state === 'drain');
      await delivery.looks(5);
      expect((await state()).state).toBe('drain');
      const commands = async () => (await delivery.metrics.haproxyCommands.get()).values[0]?.value;
      const before = await commands();
      agent.say('ready 300%');
      await until('the agent opens it', async () => (await state()).state === 'ready' && (await state()).weight === 3);
      await delivery.looks(5);
      expect([(await state()).weight, await commands()]).toEqual([3, before]);
      delivery.deliver(snapshotOf([], 1));
      await until('a freed slot rests', async () => (await state()).state === 'maint');
    } finally {
      await delivery.remove();
      await haproxy.stop();
      await target?.stop();
      agent.stop();
    }
  });
});
