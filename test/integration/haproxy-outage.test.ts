import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type Delivery, snapshotOf, startDelivery } from '../fixtures/delivery.ts';
import { type Haproxy, renderForTest, serverState, startHaproxy } from '../fixtures/haproxy.ts';
import { type LoadCount, startLoad } from '../fixtures/load.ts';
import { freePort } from '../fixtures/ports.ts';
import { startTarget, startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

/** Listens where an empty slot points to, and counts who comes. */
async function startTrap(): Promise<{ port: number; requests(): number; stop(): void }> {
  const port = await freePort('127.0.0.2');
  let requests = 0;
  const server: Server = createServer((_, response) => {
    requests += 1;
    response.writeHead(200).end('trap');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.2', resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { port, requests: () => requests, stop };
}

const allGood = (count: LoadCount) => ({ errors: count.errors, statuses: [...count.byStatus.keys()] });

describeWith(['haproxy'], 'a HAProxy that goes away and comes back', () => {
  let haproxy: Haproxy;
  let delivery: Delivery;
  let targets: TestTarget[];
  let gone: TestTarget;
  let trap: Awaited<ReturnType<typeof startTrap>>;
  const wanted = () => new Set(targets.map(({ address }) => address));
  const upCount = async () => {
    const states = await Promise.all(targets.map((_, position) => serverState(haproxy, `web${position + 1}`)));
    return states.filter(({ isUp, state, weight }) => isUp && state === 'ready' && weight === 10).length;
  };
  const allUp = () => until('all are up', async () => (await upCount()) === targets.length);

  beforeEach(async () => {
    trap = await startTrap();
    haproxy = await startHaproxy({ template: { backends: [{ name: 'web', baseName: 'web', port: trap.port }] } });
    [targets, gone] = await Promise.all([startTargets(4), startTarget()]);
    delivery = await startDelivery({ sockets: [haproxy.socketPath], stateFile: haproxy.stateFile });
    delivery.deliver(snapshotOf([...targets, gone]));
    await delivery.settled();
    delivery.deliver(snapshotOf(targets));
    await delivery.settled();
    await allUp();
  });
  afterEach(async () => {
    await delivery.remove();
    await haproxy.stop();
    for (const target of [...targets, gone]) await target.stop();
    trap.stop();
  });

  it('fails no request over reloads under constant load, on new and on kept-alive connections', async () => {
    const load = startLoad(haproxy.url);
    for (let i = 0; i < 3; i += 1) {
      const before = load.fresh.answered;
      await haproxy.reload();
      await until('the load goes on', () => load.fresh.answered > before + 200);
    }
    const { fresh, keptAlive } = await load.stop();
    for (const count of [fresh, keptAlive]) {
      expect(allGood(count)).toEqual({ errors: [], statuses: [200] });
      expect(new Set(count.byTarget.keys())).toEqual(wanted());
    }
    expect([gone.requests(), trap.requests()]).toEqual([0, 0]);
  });

  for (const [how, act] of [
    ['a restart', (it: Haproxy) => it.restart()],
    ['kill -9', async (it: Haproxy) => it.kill().then(() => it.start())],
  ] as const) {
    it(`answers no 503 and asks no wrong target after ${how}, from the first accepted connection on`, async () => {
      const load = startLoad(haproxy.url);
      await until('there is load', () => load.fresh.answered > 50);
      await act(haproxy);
      const back = load.fresh.answered;
      await until('the load goes on', () => load.fresh.answered > back + 300);
      const { fresh, keptAlive } = await load.stop();
      for (const count of [fresh, keptAlive]) {
        expect([...count.byStatus.keys()]).toEqual([200]);
        expect(new Set(count.byTarget.keys())).toEqual(wanted());
        // While nothing listened, and what was under way when it ended.
        expect(count.errors.length === 0 || count.refused + count.cut > 0).toBe(true);
        expect(count.cut).toBeLessThanOrEqual(8);
      }
      expect([gone.requests(), trap.requests()]).toEqual([0, 0]);
      await allUp();
    });
  }

  it('works from the state file alone while the client is away', async () => {
    await delivery.stop();
    await haproxy.kill();
    await haproxy.start();
    expect(await upCount()).toBe(4);
    // The checks of restored servers run.
    targets[3]?.setHealthy(false);
    await until('a failing target is noticed', async () => !(await serverState(haproxy, 'web4')).isUp);
    targets[3]?.setHealthy(true);
    await allUp();
    await delivery.start();
    await delivery.settled();
    expect(await upCount()).toBe(4);
  });

  it('brings a target that was down back without a request to it', async () => {
    const sick = targets[0];
    sick?.setHealthy(false);
    await until('it is down', async () => !(await serverState(haproxy, 'web1')).isUp);
    await delivery.looks(3);
    const before = sick?.requests();
    const load = startLoad(haproxy.url);
    await haproxy.reload();
    expect((await serverState(haproxy, 'web1')).weight === 0 || !(await serverState(haproxy, 'web1')).isUp).toBe(true);
    await until('it has its weight', async () => (await serverState(haproxy, 'web1')).weight === 10);
    expect((await serverState(haproxy, 'web1')).isUp).toBe(false);
    const counts = await load.stop();
    expect(allGood(counts.fresh)).toEqual({ errors: [], statuses: [200] });
    expect(sick?.requests()).toBe(before);
    sick?.setHealthy(true);
    await allUp();
  });

  it('is repaired at once after a reload that lost everything', async () => {
    await haproxy.configure(renderForTest(haproxy, { withoutStateFile: true }));
    await haproxy.reload();
    await until('all serve again', async () => (await upCount()) === 4, { timeoutMs: 2000 });
  });

  it('is reported while it is away, and kept in step when it is back', async () => {
    await haproxy.halt();
    await until('it is down', () => delivery.status().sockets[0]?.isUp === false);
    expect(delivery.status().sockets[0]?.lastError).toContain(haproxy.socketPath);
    const extra = await startTarget();
    delivery.deliver(snapshotOf([...targets, extra]));
    await delivery.looks(0);
    await haproxy.start();
    await delivery.settled();
    expect(await serverState(haproxy, 'web5')).toMatchObject({ address: extra.address, state: 'ready' });
    const told = delivery.log().filter(({ msg }) => /keeping HAProxy in step (fails|works again)/.test(msg));
    expect(told.at(-1)?.msg).toContain('works again');
    expect(told.length).toBeLessThanOrEqual(4);
    await extra.stop();
  });
});
