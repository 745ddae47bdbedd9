import { expect, it } from 'vitest';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { openHomes } from '../../src/publish/homes.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { dynamoConfig, hsdoKeys, makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { lead, listOf, publish, tableServices, useHsdoTable } from '../fixtures/hsdo-table.ts';
import { taken, target } from '../fixtures/lists.ts';
import { motoPrograms } from '../fixtures/moto.ts';

const never = new AbortController().signal;

describeWith(motoPrograms, "HSDO's table", () => {
  const stage = useHsdoTable();

  it('reports writes as what they were when answers get lost', async () => {
    const [one, two] = [await stage.open({ endpoint: stage.proxy.endpoint }), await stage.open()];
    for (const times of [1, 3]) {
      stage.proxy.inject('drop-response', times, 'UpdateItem');
      const term = await lead(one);
      const current = await two.lease.read(never);
      expect(current?.record.epoch).toBe(term.epoch);
      stage.proxy.inject('drop-response', times, 'UpdateItem');
      const renewed = await one.lease.renew(
        { holder: 'one', epoch: term.epoch, ttlMs: 100 },
        current?.version ?? '',
        never,
      );
      expect((await two.lease.read(never))?.version).toBe(renewed);

      const before = await two.snapshots.read('web', never);
      stage.proxy.inject('drop-response', times, 'TransactWriteItems');
      const written = await publish(one, before, listOf(3 + times), term);
      expect(await two.snapshots.read('web', never)).toStrictEqual(written);
      expect(written.revision).toBe((before?.revision ?? 0) + 1);

      stage.proxy.inject('drop-response', times, 'TransactWriteItems');
      await expect(publish(one, before, listOf(9), term)).rejects.toMatchObject({ code: 'conflict' });
      stage.proxy.inject('drop-response', times, 'UpdateItem');
      const stale = one.lease.renew({ holder: 'one', epoch: term.epoch, ttlMs: 100 }, current?.version ?? '', never);
      await expect(stale).rejects.toMatchObject({ code: 'conflict' });
    }
    stage.proxy.inject('drop-request', 3, 'TransactWriteItems');
    const before = await two.snapshots.read('web', never);
    const lost = publish(one, before, listOf(9), { epoch: 2, fence: '2' });
    await expect(lost).rejects.toMatchObject({ code: 'unavailable' });
    expect(await two.snapshots.read('web', never)).toStrictEqual(before);
  });

  it('is a valid list after every part of a change that is too large for one transaction', async () => {
    const [one, two] = [await stage.open({ endpoint: stage.proxy.endpoint }), await stage.open()];
    const term = await lead(one);
    const first = await publish(one, undefined, listOf(300), term);
    expect(first.revision).toBe(4);
    const seen: Snapshot[] = [];
    stage.proxy.onRequest(async (operation) => {
      const snapshot = operation === 'TransactWriteItems' ? await two.snapshots.read('web', never) : undefined;
      if (snapshot) seen.push(snapshot);
    });
    // A hundred targets leave their slots and appear in those of a hundred others.
    const moved = first.slots.map((slot) => {
      if (slot.index <= 100) return { state: 'free', index: slot.index } as const;
      return slot.index <= 200 ? taken(slot.index, target(`t${slot.index - 100}`)) : slot;
    });
    const second = await publish(one, first, { ...first, slots: moved }, term);
    seen.push(second);
    expect(seen.map((snapshot) => snapshot.revision)).toEqual([4, 5, 6, 7]);
    expect(await two.snapshots.read('web', never)).toStrictEqual(second);
    for (const { slots } of seen) {
      expect(slots.map((slot) => slot.index)).toEqual(first.slots.map((slot) => slot.index));
      const ids = slots.flatMap((slot) => (slot.state === 'taken' ? [slot.target.id] : []));
      expect(new Set(ids).size).toBe(ids.length);
    }
    // What leaves goes first.
    expect(seen[1]?.slots.filter((slot) => slot.state === 'free')).toHaveLength(99);
  });

  it('accepts nothing from a leader that was overtaken in the middle of a large change', async () => {
    for (const table of ['', await makeTable(stage.moto, plainKeys)]) {
      await stage.renew(hsdoKeys);
      const [one, two] = [await stage.open({ endpoint: stage.proxy.endpoint, table }), await stage.open({ table })];
      const term = await lead(one);
      const first = await publish(one, undefined, listOf(250), term);
      let parts = 0;
      stage.proxy.onRequest(async (operation) => {
        if (operation === 'TransactWriteItems' && ++parts === 2) await lead(two, 'two');
      });
      const stale = publish(one, first, listOf(250, 'stale'), term);
      await expect(stale).rejects.toMatchObject({ code: 'conflict' });
      stage.proxy.onRequest(undefined);
      const found = await two.snapshots.read('web', never);
      const groups = (found?.slots ?? []).map((slot) => (slot.state === 'taken' ? slot.target.group : ''));
      expect(groups.filter((group) => group === 'stale').length).toBe(table ? 98 : 99);
      expect(found).toMatchObject({ revision: first.revision + 1, epoch: 1 });
    }
  });

  it('beside a plain table holds one named service, and all others are in the plain one', async () => {
    const table = await makeTable(stage.moto, plainKeys);
    const two = [...tableServices, { ...tableServices[0], name: 'api' }] as typeof tableServices;
    const store = dynamoConfig(stage.moto, { table, hsdoTable: stage.name });
    await expect(openHomes({ store, services: two }, systemClock, never)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('set hsdoService to one of "web", "api"'),
    });
    const homes = await openHomes({ store: { ...store, hsdoService: 'api' }, services: two }, systemClock, never);
    stage.closeLater(homes);
    const term = await lead(homes);
    for (const service of ['web', 'api']) await publish(homes, undefined, { ...listOf(2), service }, term);
    expect((await stage.itemOf(1))?.['ServerName']).toEqual({ S: 't1' });
    expect((await homes.store?.list('snapshot/', never))?.map(({ key }) => key)).toEqual([
      'snapshot/web/head',
      'snapshot/web/slots/0000',
    ]);
    for (const service of ['web', 'api']) expect((await homes.snapshots.read(service, never))?.slots).toHaveLength(2);
  });
});
