import { expect, it } from 'vitest';
import type { Desired } from '../../src/model/snapshot.ts';
import { describeWith } from '../fixtures/component.ts';
import { makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { lead, listOf, publish, useHsdoTable } from '../fixtures/hsdo-table.ts';
import { show, startAt, taken, target } from '../fixtures/lists.ts';
import { motoPrograms } from '../fixtures/moto.ts';

const never = new AbortController().signal;

describeWith(motoPrograms, "HSDO's table", () => {
  const stage = useHsdoTable();

  it('written by HSDO is taken over: same slots, same weights, the ramp goes on', async () => {
    await stage.python('server', {
      size: 5,
      servers: {
        1: { ip: '10.0.0.1', name: 'i-01', asg: 'web-a', weight: 4, age: 10 },
        2: { ip: '10.0.0.2', name: 'i-02', asg: 'web-b', weight: 10, age: 9000 },
        4: { ip: '10.0.0.4', name: 'i-04', asg: 'web-a', weight: 1, age: 25 },
      },
    });
    const [one, two] = [await stage.open(), await stage.open()];
    expect(await two.snapshots.revision('web', never)).toBe(0);
    const before = await one.snapshots.read('web', never);
    expect(before).toMatchObject({ revision: 0, epoch: 0, unplaced: [] });
    expect(show(before?.slots ?? [])).toBe('1:i-01 2:i-02 3:- 4:i-04 5:-');
    expect(before?.slots[1]).toMatchObject({ weight: 10, target: { address: '10.0.0.2', group: 'web-b' } });
    const slot = before?.slots[0];
    if (slot?.state !== 'taken' || !before) throw new Error('slot 1 is not taken');
    // Three steps of 30 s were made, the last one 10 s ago.
    expect(Math.abs(Date.now() - slot.joinedAt - 100_000)).toBeLessThan(20_000);

    const term = await lead(one);
    expect(show((await two.snapshots.read('web', never))?.slots ?? [])).toBe(show(before.slots));
    const first = await publish(one, before, before, term);
    expect(first.revision).toBe(1);
    expect(await two.snapshots.read('web', never)).toStrictEqual(first);
    expect(await stage.itemOf(1)).toMatchObject({
      TargetID: { S: 'i-01' },
      IPAddress: { S: '10.0.0.1' },
      Weight: { N: '4' },
    });
  });

  it("written by hsdo gives HSDO's own clients the right commands", async () => {
    const one = await stage.open();
    const slots: Desired['slots'] = [
      taken(1, target('i-1', { port: 8080, zone: 'a' }), { weight: 3 }),
      { state: 'free', index: 2, last: { id: 'i-2', address: '10.0.0.2', leftAt: startAt } },
      { state: 'draining', index: 3, target: target('i-3'), joinedAt: startAt, weight: 10, drainUntil: startAt },
      taken(4, target('i-4'), { override: 'maint' }),
      taken(5, target('i-5')),
      taken(6, target('i-6'), { health: { verdict: 'down', code: 'refused', sinceAt: startAt }, out: 'down' }),
    ];
    const hold = { token: 'h', sinceAt: startAt, targets: ['i-5'] };
    const panic = { sinceAt: startAt, serves: 'last-good' } as const;
    await publish(one, undefined, { service: 'web', slots, unplaced: ['i-7'], hold, panic }, await lead(one));
    const commands = await stage.python('client', { backend: 'http-back', base: 'mywebapp', port: 80 });
    const server = (id: number, address: string, weight: number) => [
      `set server http-back/mywebapp${id} addr ${address} port 80`,
      `set server http-back/mywebapp${id} weight ${weight}`,
      `set server http-back/mywebapp${id} state ready`,
    ];
    expect(commands.split('\n')).toEqual([
      // Item 0: one harmless command for a server that does not exist.
      'set server http-back/mywebapp0 state maint',
      ...server(1, '10.0.0.1', 3),
      'set server http-back/mywebapp2 state maint',
      ...server(3, '10.0.0.3', 0),
      ...server(4, '10.0.0.4', 0),
      ...server(5, '10.0.0.5', 10),
      ...server(6, '10.0.0.6', 0),
    ]);
    await expect(stage.python('restart', { size: 6 })).rejects.toThrow('7 items for 6 servers');
  });

  for (const withStore of [false, true]) {
    const where = withStore ? 'with the lease in a plain table' : 'with the lease in item 0';
    it(`goes back to HSDO when released, ${where}`, async () => {
      const table = withStore ? await makeTable(stage.moto, plainKeys) : '';
      const [one, two] = [await stage.open({ table }), await stage.open({ table })];
      const term = await lead(one);
      const first = await publish(one, undefined, listOf(130), term);
      const slots = first.slots.map((slot) => (slot.index === 7 ? ({ state: 'free', index: 7 } as const) : slot));
      await publish(one, first, { ...first, slots }, term);

      expect(await two.release?.({ force: false }, never)).toBe(130);
      expect(await stage.itemOf(0)).toBeUndefined();
      const items = JSON.parse(await stage.python('restart', { size: 130 })) as [number, string, number, string[]][];
      expect(items).toHaveLength(130);
      expect(items[0]?.slice(0, 3)).toEqual([1, 't1', 10]);
      expect(items[6]?.slice(0, 3)).toEqual([7, 'none', 0]);
      expect(new Set(items.map(([, , , attributes]) => attributes.join())).size).toBe(1);
      expect(items[0]?.[3]).toHaveLength(7);

      await expect(publish(one, first, first, term)).rejects.toMatchObject({ code: 'conflict' });
      const back = await two.snapshots.read('web', never);
      expect(back).toMatchObject({ revision: 0, epoch: 0 });
      expect((await publish(two, back, back ?? first, await lead(two))).revision).toBe(2);
    });

    it(`is not released while a server leads, unless forced, ${where}`, async () => {
      const table = withStore ? await makeTable(stage.moto, plainKeys) : '';
      const [one, two] = [await stage.open({ table }), await stage.open({ table, endpoint: stage.proxy.endpoint })];
      const record = { holder: 'one', epoch: 1, ttlMs: 100 };
      let { version } = await one.lease.acquire(record, null, never);
      // Renewed by what the other one reads, not by a timer: no stall of the emulator can let the lease lapse.
      let renewals = 0;
      stage.proxy.onRequest(async (operation) => {
        if (operation !== 'GetItem') return;
        version = await one.lease.renew(record, version, never);
        renewals += 1;
      });
      await expect(two.release?.({ force: false }, never)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('"one" leads'),
      });
      expect(renewals).toBeGreaterThan(1);
      stage.proxy.onRequest(undefined);
      await two.release?.({ force: true }, never);
      expect(await stage.itemOf(0)).toBeUndefined();
    });
  }
});
