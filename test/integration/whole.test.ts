import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Slot } from '../../src/model/slot.ts';
import { addressesOf, type Cluster, maxWeight, showHaproxy, showSlots, startCluster } from '../fixtures/cluster.ts';
import { describeWith } from '../fixtures/component.ts';
import type { Hsdo } from '../fixtures/hsdo.ts';
import { type Load, startLoad } from '../fixtures/load.ts';
import { motoPrograms } from '../fixtures/moto.ts';
import { type Stage, stageWithConsul, stageWithFile, stageWithTables } from '../fixtures/stages.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const addresses = (targets: readonly TestTarget[]) => targets.map(({ address }) => address);

/** Series of hsdo_server_weight as `slot address weight`, from the exporter. */
async function exported(process: Hsdo): Promise<readonly string[]> {
  const samples = [...(await process.metric('hsdo_server_weight'))];
  return samples.map(
    ([labels, value]) => `${/id="(\d+)"/.exec(labels)?.[1]} ${/ip="([^"]*)"/.exec(labels)?.[1]} ${value}`,
  );
}

const expectedSeries = (slots: readonly Slot[]) =>
  slots.flatMap((slot) => (slot.state === 'taken' ? [`${slot.index} ${slot.target.address} ${slot.weight}`] : []));

function tellWhole(title: string, programs: readonly string[], prepare: () => Promise<Stage>): void {
  describeWith(['haproxy', ...programs], title, () => {
    let stage: Stage;
    let cluster: Cluster;
    let targets: TestTarget[];
    let loads: Load[] = [];

    const endLoad = async () => {
      for (const [n, load] of loads.splice(0).entries()) {
        const { fresh, keptAlive } = await load.stop();
        for (const { answered, byStatus, cut, refused, errors } of [fresh, keptAlive]) {
          expect({ statuses: [...byStatus.keys()], cut, refused, errors }, cluster.haproxies[n]?.output()).toEqual({
            statuses: [200],
            cut: 0,
            refused: 0,
            errors: [],
          });
          expect(answered).toBeGreaterThan(0);
        }
      }
    };
    const beginLoad = () => {
      loads = cluster.haproxies.map(({ url }) => startLoad(url, { clients: 1, pauseMs: 20 }));
    };

    beforeAll(async () => {
      stage = await prepare();
      targets = await startTargets(5);
      await stage.source.set(targets.slice(0, 4));
      cluster = await startCluster({ ...stage, source: stage.source.config });
    });
    afterAll(async () => {
      await cluster?.remove();
      await stage?.remove();
      for (const one of targets ?? []) await one.stop();
    });

    it('brings the first list into both HAProxies at full weight', async () => {
      const slots = await cluster.serving(addresses(targets.slice(0, 4)));
      expect(
        slots.filter(({ state }) => state === 'taken').map((slot) => slot.state === 'taken' && slot.weight),
      ).toEqual([4, 4, 4, 4]);
      beginLoad();
    });

    it('places a newcomer at the least weight and lets it grow', async () => {
      await stage.source.set(targets);
      const newcomer = targets[4] as TestTarget;
      const seen: number[] = [];
      await until('the newcomer has its full weight', async () => {
        const slot = (await cluster.list()).find(
          (one) => one.state === 'taken' && one.target.address === newcomer.address,
        );
        if (slot?.state === 'taken' && slot.weight !== seen.at(-1)) seen.push(slot.weight);
        return seen.at(-1) === maxWeight;
      });
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(seen[0]).toBeLessThan(maxWeight);
      await cluster.serving(addresses(targets));
    });

    it('drains what leaves before its slot is free, and gives it the same slot on its return', async () => {
      const before = await cluster.list();
      const gone = targets[1] as TestTarget;
      const slotOf = (slots: readonly Slot[]) =>
        slots.find((slot) => slot.state !== 'free' && slot.target.address === gone.address)?.index ?? 0;
      const index = slotOf(before);
      await stage.source.set(targets.filter((one) => one !== gone));
      await until('it drains', async () => (await cluster.list())[index - 1]?.state === 'draining');
      await cluster.serving(addresses(targets.filter((one) => one !== gone)));
      await until('its slot is free', async () => (await cluster.list())[index - 1]?.state === 'free');
      await cluster.serving(addresses(targets.filter((one) => one !== gone)));
      const requests = gone.requests();
      await stage.source.set(targets);
      const after = await cluster.serving(addresses(targets));
      expect(slotOf(after)).toBe(index);
      await until('it is asked again', () => gone.requests() > requests);
    });

    it('exports a weight for exactly the taken slots, in the leader and in every client', async () => {
      await cluster.serving(addresses(targets));
      const slots = await cluster.still();
      const { leader, follower } = await cluster.roles();
      for (const process of [leader, ...cluster.clients]) {
        // A leader that a slow store suspends for a moment says nothing meanwhile.
        await until(
          `${process.nodeId} exports the list`,
          async () => [...(await exported(process))].sort().join() === expectedSeries(slots).join(),
        );
      }
      expect(await exported(follower)).toEqual([]);
      expect((await leader.metric('hsdo_leader')).get('')).toBe(1);
      expect((await follower.metric('hsdo_leader')).get('')).toBe(0);
    });

    it('loses no target while its source is away', async () => {
      await stage.source.takeAway();
      const { leader } = await cluster.roles();
      await until('the source is named', async () =>
        (await leader.status()).problems.some(({ part }) => part.startsWith('source')),
      );
      expect(showSlots(await cluster.serving(addresses(targets)))).toHaveLength(8);
      await stage.source.bringBack();
      await until('the source is well', async () => (await leader.status()).problems.length === 0);
      // Consul came back empty: until all of them are read again the guard holds them.
      await until('nothing is held', async () => (await leader.status()).services[0]?.hold === undefined);
      await cluster.serving(addresses(targets));
    });

    it('holds a removal that is too large until an operator releases it', async () => {
      const { leader } = await cluster.roles();
      await stage.source.set(targets.slice(0, 1));
      const token = await until('the guard holds the others', async () => {
        const { hold } = (await leader.status()).services[0] ?? {};
        return hold?.targets.length === 4 ? hold.token : undefined;
      });
      await cluster.serving(addresses(targets));
      const url = `${leader.api}/api/v1/services/web/hold/release`;
      const headers = { 'content-type': 'application/json' };
      expect((await fetch(url, { method: 'POST', headers, body: JSON.stringify({ token }) })).status).toBe(202);
      await cluster.serving(addresses(targets.slice(0, 1)));
      await stage.source.set(targets);
      await cluster.serving(addresses(targets));
    });

    it('ends a hold by itself when the targets are back', async () => {
      const { leader } = await cluster.roles();
      await stage.source.set([]);
      await until('the guard holds', async () => (await leader.status()).services[0]?.hold);
      await cluster.serving(addresses(targets));
      await stage.source.set(targets);
      await until('the hold is over', async () => (await leader.status()).services[0]?.hold === undefined);
      await cluster.serving(addresses(targets));
    });

    it('goes on when the leader or the follower is killed', async () => {
      for (const role of ['leader', 'follower'] as const) {
        const roles = await cluster.roles();
        const epochs = (await roles.leader.status()).services[0]?.epoch ?? 0;
        await roles[role].kill();
        await stage.source.set(targets.slice(1));
        await cluster.serving(addresses(targets.slice(1)));
        await roles[role].start();
        await stage.source.set(targets);
        await cluster.serving(addresses(targets));
        const after = (await (await cluster.roles()).leader.status()).services[0]?.epoch ?? 0;
        expect(after - epochs).toBe(role === 'leader' ? 1 : 0);
      }
    });

    it('goes on when a client is killed and started again', async () => {
      await cluster.clients[0].kill();
      await stage.source.set(targets.slice(0, 4));
      await until(
        'the other HAProxy follows',
        async () => addressesOf(await cluster.list()).join() === addresses(targets.slice(0, 4)).sort().join(),
      );
      await cluster.clients[0].start();
      await cluster.serving(addresses(targets.slice(0, 4)));
      await endLoad();
    });

    it('fills a HAProxy that was killed, before anybody is served wrongly', async () => {
      const [haproxy] = cluster.haproxies;
      await haproxy.kill();
      await haproxy.start();
      const load = startLoad(haproxy.url, { clients: 1, pauseMs: 5 });
      await cluster.serving(addresses(targets.slice(0, 4)));
      const { fresh, keptAlive } = await load.stop();
      for (const { byStatus, byTarget, cut } of [fresh, keptAlive]) {
        expect([...byStatus.keys()]).toEqual([200]);
        expect([...byTarget.keys()].filter((one) => !addresses(targets.slice(0, 4)).includes(one))).toEqual([]);
        expect(cut).toBe(0);
      }
    });

    it('serves the last list from a client that starts while the store is away', async () => {
      beginLoad();
      const [client] = cluster.clients;
      await cluster.still();
      await client.kill();
      await stage.takeStoreAway(cluster);
      await client.start();
      await cluster.haproxies[0].ask('set server web/web1 weight 1');
      const before = await showHaproxy(cluster.haproxies[1]);
      await until(
        'the client repairs HAProxy',
        async () => (await showHaproxy(cluster.haproxies[0])).join() === before.join(),
      );
      await until('the client says that the store is away', async () => (await client.status()).store.lastError);
      await stage.bringStoreBack(cluster);
      await stage.source.set(targets);
      await cluster.serving(addresses(targets));
      await endLoad();
    });

    it('hands the lease over at a clean stop', async () => {
      const { leader, follower } = await cluster.roles();
      expect(await leader.stop()).toBe(0);
      await until('the other leads', async () => (await follower.status()).lease?.state === 'leader');
      expect(leader.log()).toContain('the lease is handed back');
    });
  });
}

tellWhole('a whole cluster on the embedded store with a file', [], stageWithFile);
tellWhole('a whole cluster on the embedded store with Consul', ['consul'], stageWithConsul);
tellWhole("a whole cluster on HSDO's table beside a plain one", motoPrograms, stageWithTables);
