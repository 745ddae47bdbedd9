import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServiceDetail } from '../../src/api/view.ts';
import type { Slot } from '../../src/model/slot.ts';
import { type Cluster, showHaproxy, startCluster } from '../fixtures/cluster.ts';
import { describeWith } from '../fixtures/component.ts';
import { serverState } from '../fixtures/haproxy.ts';
import type { Hsdo } from '../fixtures/hsdo.ts';
import { startLoad } from '../fixtures/load.ts';
import { motoPrograms } from '../fixtures/moto.ts';
import { type Stage, stageWithFile, stageWithTables } from '../fixtures/stages.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

/** Without hold-down: here targets fall again and again, and are meant to be back at once. */
const check = {
  kind: 'http',
  path: '/health',
  intervalSeconds: 0.2,
  timeoutSeconds: 0.5,
  holdDown: { seconds: 0 },
};

async function detailOf(process: Hsdo): Promise<ServiceDetail> {
  const { code, stdout, stderr } = await process.cli('service', 'web', '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as ServiceDetail;
}

function tellChecked(title: string, programs: readonly string[], prepare: () => Promise<Stage>): void {
  describeWith(['haproxy', ...programs], title, () => {
    let stage: Stage;
    let cluster: Cluster;
    let targets: TestTarget[];
    const slotOf = async ({ address }: TestTarget): Promise<Slot & { state: 'taken' }> => {
      const slot = (await cluster.list()).find((one) => one.state === 'taken' && one.target.address === address);
      if (slot?.state !== 'taken') throw new Error(`${address} has no slot`);
      return slot;
    };
    const inHaproxy = (slot: Slot) => Promise.all(cluster.haproxies.map((one) => serverState(one, `web${slot.index}`)));
    const allSay = (what: string, target: TestTarget, state: string, weight = 4) =>
      until(what, async () =>
        (await inHaproxy(await slotOf(target))).every(
          (one) => one.state === state && one.weight === weight && one.address === target.address,
        ),
      );

    beforeAll(async () => {
      stage = await prepare();
      targets = await startTargets(3);
      await stage.source.set(targets);
      cluster = await startCluster({
        ...stage,
        source: stage.source.config,
        service: { check },
        cluster: { heartbeatSeconds: 0.5, nodeTtlSeconds: 2 },
      });
    });
    afterAll(async () => {
      await cluster?.remove();
      await stage?.remove();
      for (const one of targets ?? []) await one.stop();
    });

    it('serves the first list once both servers have asked every target', async () => {
      for (const target of targets) await allSay('it serves', target, 'ready');
      const detail = await detailOf((await cluster.roles()).leader);
      expect(detail.targets.map(({ health, votes }) => [health?.verdict, votes.length])).toEqual([
        ['up', 2],
        ['up', 2],
        ['up', 2],
      ]);
    });

    it('takes a killed target out of new traffic and keeps its slot and weight, then brings it back without a failed request', async () => {
      const target = targets[1] as TestTarget;
      const { index } = await slotOf(target);
      await target.stop();
      await allSay('it is out', target, 'drain');
      expect(await slotOf(target)).toMatchObject({ index, out: 'down', health: { verdict: 'down', code: 'refused' } });
      const load = startLoad(cluster.haproxies[0].url, { clients: 1, pauseMs: 10 });
      await target.start();
      await allSay('it is back', target, 'ready');
      const asked = target.requests();
      await until('it is asked again', () => target.requests() > asked);
      const { fresh, keptAlive } = await load.stop();
      for (const { byStatus, errors } of [fresh, keptAlive])
        expect([[...byStatus.keys()], errors]).toEqual([[200], []]);
    });

    it('goes by the body and the code, not by the port alone', async () => {
      const target = targets[2] as TestTarget;
      target.setHealthy(false);
      await allSay('it is out', target, 'drain');
      const detail = await detailOf((await cluster.roles()).leader);
      const view = detail.targets.find(({ address }) => address === target.address);
      expect(view?.votes.map(({ code }) => code)).toEqual(['status', 'status']);
      expect(view?.statistics?.lastMessage).toContain('503');
      target.setHealthy(true);
      await allSay('it is back', target, 'ready');
    });

    it('goes on serving those that served to the last when all are down, and never what an operator took out', async () => {
      const [first] = targets as [TestTarget];
      const { leader } = await cluster.roles();
      expect((await leader.cli('override', 'web', first.name, 'drain')).code).toBe(0);
      await allSay('the operator has it out', first, 'drain');
      for (const target of targets) target.setHealthy(false);
      await until('the panic is told', async () => (await leader.status()).services[0]?.panic?.serves === 'last-good');
      expect((await leader.cli('status')).stdout).toContain('PANIC');
      for (const target of targets.slice(1)) await allSay('it serves in the panic', target, 'ready');
      await allSay('the operator has it out still', first, 'drain');
      for (const target of targets) target.setHealthy(true);
      await until('the panic is over', async () => (await leader.status()).services[0]?.panic === undefined);
      await leader.cli('override', 'web', first.name, 'none');
      await allSay('the operator lets go', first, 'ready');
    });

    it('changes nothing when a server is killed and comes back, and counts on where it stopped', async () => {
      const { leader, follower } = await cluster.roles();
      const before = await detailOf(follower);
      await follower.stop();
      await until('it is silent', async () =>
        (await leader.status()).observers.some(({ id, isFresh }) => id === follower.nodeId && !isFresh),
      );
      expect((await leader.cli('status')).stdout).toContain(`hsdo decommission ${follower.nodeId}`);
      const shown = await showHaproxy(cluster.haproxies[0]);
      await follower.start();
      const successes = (detail: ServiceDetail) => detail.targets[0]?.statistics?.successes ?? 0;
      await until('it votes again', async () =>
        (await detailOf(follower)).targets.every(({ votes }) => votes.length === 2),
      );
      await until('it counts on', async () => successes(await detailOf(follower)) > successes(before));
      expect(await showHaproxy(cluster.haproxies[0])).toEqual(shown);
    });
  });
}

tellChecked('checks of two servers over the embedded store', [], stageWithFile);
tellChecked("checks of two servers over HSDO's table beside a plain one", motoPrograms, stageWithTables);
