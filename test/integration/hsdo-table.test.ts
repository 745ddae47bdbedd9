import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Desired, Snapshot } from '../../src/model/snapshot.ts';
import type { Refusal } from '../../src/model/target.ts';
import { type Homes, openHomes } from '../../src/publish/homes.ts';
import type { Term } from '../../src/publish/term.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { dynamoConfig, hsdoKeys, itemBytes, makeTable, plainKeys, rawClient } from '../fixtures/dynamodb.ts';
import { type FaultProxy, startFaultProxy } from '../fixtures/fault-proxy.ts';
import { show, startAt, taken, target } from '../fixtures/lists.ts';
import { type Moto, motoPrograms, startMoto } from '../fixtures/moto.ts';

const never = new AbortController().signal;
const services = [{ name: 'web', weight: { min: 1, increase: 1, intervalSeconds: 30 } }];
const script = join(import.meta.dirname, '..', 'fixtures', 'hsdo-python.py');

describeWith(motoPrograms, "HSDO's table", () => {
  let moto: Moto;
  let raw: DynamoDBClient;
  let proxy: FaultProxy;
  let hsdoTable: string;
  const opened: Homes[] = [];
  beforeAll(async () => {
    moto = await startMoto();
    raw = rawClient(moto);
  });
  afterAll(async () => {
    raw.destroy();
    await moto.stop();
  });
  beforeEach(async () => {
    await moto.reset();
    hsdoTable = await makeTable(moto, hsdoKeys);
    proxy = await startFaultProxy(moto.endpoint);
  });
  afterEach(async () => {
    for (const homes of opened.splice(0)) await homes.close();
    await proxy.stop();
  });

  async function open(
    options: { endpoint?: string; table?: string; onRefusals?: (refusals: readonly Refusal[]) => void } = {},
  ): Promise<Homes> {
    const { endpoint, table, onRefusals } = options;
    const store = dynamoConfig(moto, { hsdoTable, requestTimeoutMs: 5000, ...(table ? { table } : {}) }, endpoint);
    const homes = await openHomes({ store, services }, systemClock, never, onRefusals);
    opened.push(homes);
    return homes;
  }
  async function python(role: 'server' | 'client' | 'restart', options: object): Promise<string> {
    const args = [script, moto.endpoint, moto.region, hsdoTable, role, JSON.stringify(options)];
    return (await promisify(execFile)('/usr/bin/python3', args)).stdout.trim();
  }
  async function lead({ lease }: Homes, holder = 'one'): Promise<Term> {
    const current = await lease.read(never);
    const record = { holder, epoch: (current?.record.epoch ?? 0) + 1, ttlMs: 100 };
    return (await lease.acquire(record, current?.version ?? null, never)).term;
  }
  const publish = (homes: Homes, previous: Snapshot | undefined, desired: Desired, term: Term) =>
    homes.snapshots.write(previous, desired, term, Date.now(), never);
  const listOf = (size: number, group = 'web'): Desired => ({
    service: 'web',
    unplaced: [],
    slots: Array.from({ length: size }, (_, n) => taken(n + 1, target(`t${n + 1}`, { group }))),
  });
  const itemOf = async (id: number) =>
    (await raw.send(new GetItemCommand({ TableName: hsdoTable, Key: { BackendServerID: { N: String(id) } } }))).Item;
  const putRaw = (item: Record<string, AttributeValue>) =>
    raw.send(new PutItemCommand({ TableName: hsdoTable, Item: item }));

  it('written by HSDO is taken over: same slots, same weights, the ramp goes on', async () => {
    await python('server', {
      size: 5,
      servers: {
        1: { ip: '10.0.0.1', name: 'i-01', asg: 'web-a', weight: 4, age: 10 },
        2: { ip: '10.0.0.2', name: 'i-02', asg: 'web-b', weight: 10, age: 9000 },
        4: { ip: '10.0.0.4', name: 'i-04', asg: 'web-a', weight: 1, age: 25 },
      },
    });
    const [one, two] = [await open(), await open()];
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
    expect(await itemOf(1)).toMatchObject({
      TargetID: { S: 'i-01' },
      IPAddress: { S: '10.0.0.1' },
      Weight: { N: '4' },
    });
  });

  it("written by hsdo gives HSDO's own clients the right commands", async () => {
    const one = await open();
    const slots: Desired['slots'] = [
      taken(1, target('i-1', { port: 8080, zone: 'a' }), { weight: 3 }),
      { state: 'free', index: 2, last: { id: 'i-2', address: '10.0.0.2', leftAt: startAt } },
      { state: 'draining', index: 3, target: target('i-3'), joinedAt: startAt, weight: 10, drainUntil: startAt },
      taken(4, target('i-4'), { override: 'maint' }),
      taken(5, target('i-5')),
    ];
    const hold = { token: 'h', sinceAt: startAt, targets: ['i-5'] };
    await publish(one, undefined, { service: 'web', slots, unplaced: ['i-6'], hold }, await lead(one));
    const commands = await python('client', { backend: 'http-back', base: 'mywebapp', port: 80 });
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
    ]);
    await expect(python('restart', { size: 5 })).rejects.toThrow('6 items for 5 servers');
  });

  for (const withStore of [false, true]) {
    const where = withStore ? 'with the lease in a plain table' : 'with the lease in item 0';
    it(`goes back to HSDO when released, ${where}`, async () => {
      const table = withStore ? await makeTable(moto, plainKeys) : '';
      const [one, two] = [await open({ table }), await open({ table })];
      const term = await lead(one);
      const first = await publish(one, undefined, listOf(130), term);
      const slots = first.slots.map((slot) => (slot.index === 7 ? ({ state: 'free', index: 7 } as const) : slot));
      await publish(one, first, { ...first, slots }, term);

      expect(await two.release?.({ force: false }, never)).toBe(130);
      expect(await itemOf(0)).toBeUndefined();
      const items = JSON.parse(await python('restart', { size: 130 })) as [number, string, number, string[]][];
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
      const table = withStore ? await makeTable(moto, plainKeys) : '';
      const [one, two] = [await open({ table }), await open({ table })];
      const record = { holder: 'one', epoch: 1, ttlMs: 400 };
      let { version } = await one.lease.acquire(record, null, never);
      const renewing = setInterval(() => {
        void one.lease.renew(record, version, never).then(
          (next) => {
            version = next;
          },
          () => {},
        );
      }, 100);
      await expect(two.release?.({ force: false }, never)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('"one" leads'),
      });
      await two.release?.({ force: true }, never);
      clearInterval(renewing);
      expect(await itemOf(0)).toBeUndefined();
    });
  }

  it('reports writes as what they were when answers get lost', async () => {
    const [one, two] = [await open({ endpoint: proxy.endpoint }), await open()];
    for (const times of [1, 3]) {
      proxy.inject('drop-response', times, 'UpdateItem');
      const term = await lead(one);
      const current = await two.lease.read(never);
      expect(current?.record.epoch).toBe(term.epoch);
      proxy.inject('drop-response', times, 'UpdateItem');
      const renewed = await one.lease.renew(
        { holder: 'one', epoch: term.epoch, ttlMs: 100 },
        current?.version ?? '',
        never,
      );
      expect((await two.lease.read(never))?.version).toBe(renewed);

      const before = await two.snapshots.read('web', never);
      proxy.inject('drop-response', times, 'TransactWriteItems');
      const written = await publish(one, before, listOf(3 + times), term);
      expect(await two.snapshots.read('web', never)).toStrictEqual(written);
      expect(written.revision).toBe((before?.revision ?? 0) + 1);

      proxy.inject('drop-response', times, 'TransactWriteItems');
      await expect(publish(one, before, listOf(9), term)).rejects.toMatchObject({ code: 'conflict' });
      proxy.inject('drop-response', times, 'UpdateItem');
      const stale = one.lease.renew({ holder: 'one', epoch: term.epoch, ttlMs: 100 }, current?.version ?? '', never);
      await expect(stale).rejects.toMatchObject({ code: 'conflict' });
    }
    proxy.inject('drop-request', 3, 'TransactWriteItems');
    const before = await two.snapshots.read('web', never);
    const lost = publish(one, before, listOf(9), { epoch: 2, fence: '2' });
    await expect(lost).rejects.toMatchObject({ code: 'unavailable' });
    expect(await two.snapshots.read('web', never)).toStrictEqual(before);
  });

  it('is a valid list after every part of a change that is too large for one transaction', async () => {
    const [one, two] = [await open({ endpoint: proxy.endpoint }), await open()];
    const term = await lead(one);
    const first = await publish(one, undefined, listOf(300), term);
    expect(first.revision).toBe(4);
    const seen: Snapshot[] = [];
    proxy.onRequest(async (operation) => {
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
    for (const table of ['', await makeTable(moto, plainKeys)]) {
      hsdoTable = await makeTable(moto, hsdoKeys);
      const [one, two] = [await open({ endpoint: proxy.endpoint, table }), await open({ table })];
      const term = await lead(one);
      const first = await publish(one, undefined, listOf(250), term);
      let parts = 0;
      proxy.onRequest(async (operation) => {
        if (operation === 'TransactWriteItems' && ++parts === 2) await lead(two, 'two');
      });
      const stale = publish(one, first, listOf(250, 'stale'), term);
      await expect(stale).rejects.toMatchObject({ code: 'conflict' });
      proxy.onRequest(undefined);
      const found = await two.snapshots.read('web', never);
      const groups = (found?.slots ?? []).map((slot) => (slot.state === 'taken' ? slot.target.group : ''));
      expect(groups.filter((group) => group === 'stale').length).toBe(table ? 98 : 99);
      expect(found).toMatchObject({ revision: first.revision + 1, epoch: 1 });
    }
  });

  it('never shows half a round to readers while rounds go on', async () => {
    const [writer, ...readers] = [await open(), await open(), await open()];
    const term = await lead(writer);
    let last = await publish(writer, undefined, listOf(12, 'r0'), term);
    let isOver = false;
    const torn: string[] = [];
    let reads = 0;
    const watching = readers.map(async ({ snapshots }) => {
      let before = 0;
      while (!isOver) {
        const found = await snapshots.read('web', never).catch((error: unknown) => {
          if ((error as { code?: string }).code !== 'unavailable') throw error;
        });
        if (!found) continue;
        reads += 1;
        const groups = new Set(found.slots.map((slot) => (slot.state === 'taken' ? slot.target.group : 'free')));
        if (groups.size !== 1 || !groups.has(`r${found.revision - 1}`))
          torn.push(`${found.revision}: ${[...groups].join()}`);
        if (found.revision < before) torn.push(`back from ${before} to ${found.revision}`);
        before = found.revision;
      }
    });
    const rounds = 300;
    for (let round = 1; round <= rounds; round++) {
      last = await publish(writer, last, listOf(12, `r${round}`), term);
      // A writer that never rests would leave no time for a read; a leader writes once in a round.
      await systemClock.sleep(20, never);
    }
    isOver = true;
    await Promise.all(watching);
    console.log(`${reads} reads beside ${rounds} rounds, ${torn.length} of them torn`);
    expect(torn).toEqual([]);
    expect(reads).toBeGreaterThan(50);
    expect(last.revision).toBe(rounds + 1);
  });

  it('costs an idle client half a read unit per look, one small item', async () => {
    const [one, two] = [await open(), await open({ endpoint: proxy.endpoint })];
    const unplaced = Array.from({ length: 2000 }, (_, n) => `target-without-a-slot-${n}`);
    const term = await lead(one);
    const first = await publish(one, undefined, { ...listOf(100), unplaced }, term);
    for (let n = 0; n < 10; n++) expect(await two.snapshots.revision('web', never)).toBe(first.revision);
    expect(proxy.count('GetItem')).toBe(10);
    expect(proxy.count('Scan') + proxy.count('Query')).toBe(0);
    const bytes = itemBytes((await itemOf(0)) ?? {});
    const all = (await raw.send(new ScanCommand({ TableName: hsdoTable }))).Items ?? [];
    const scanned = all.reduce((sum, item) => sum + itemBytes(item), 0);
    const units = (size: number) => Math.ceil(size / 4096) / 2;
    console.log(
      `item 0 has ${bytes} bytes: ${units(bytes)} read units per look, ${units(bytes) * 3600} per hour at one look a second; a scan of 100 slots, ${scanned} bytes: ${units(scanned)} and ${units(scanned) * 3600}`,
    );
    expect(units(bytes)).toBe(0.5);
    const read = await two.snapshots.read('web', never);
    expect(read?.unplaced.at(-1)).toMatch(/^and \d+ more$/);
  });

  it('with rubbish in it is read as far as it goes, and every fault is told', async () => {
    await python('server', { size: 3, servers: { 1: { ip: '10.0.0.1', name: 'i-01', asg: 'a', weight: 4, age: 10 } } });
    const hostile = (id: string, fields: Record<string, AttributeValue>) =>
      putRaw({ BackendServerID: { N: id }, ...fields });
    await hostile('2', { IPAddress: { S: '10.0.0.2\nshutdown' }, ServerName: { S: 'i-02' } });
    await hostile('6', { IPAddress: { S: '10.0.0.6' }, ServerName: { S: 'x'.repeat(20_000) }, Weight: { BOOL: true } });
    await hostile('2.5', { IPAddress: { S: '10.0.0.9' } });
    await hostile('-3', { IPAddress: { S: '10.0.0.9' } });
    await hostile('123456789', { IPAddress: { S: '10.0.0.9' } });
    const refusals: Refusal[] = [];
    const one = await open({ onRefusals: (found) => refusals.push(...found) });
    const found = await one.snapshots.read('web', never);
    expect(show(found?.slots ?? [])).toBe('1:i-01 2:- 3:- 4:- 5:- 6:10.0.0.6');
    expect(found?.slots[5]).toMatchObject({ weight: 1, target: { name: '10.0.0.6', group: 'none' } });
    expect(refusals.map(({ name }) => name).sort()).toEqual([
      'i-02',
      'item -3',
      'item 123456789',
      'item 2.5',
      expect.stringMatching(/^x+/),
    ]);

    const term = await lead(one);
    await publish(one, found, { ...listOf(3), service: 'web' }, term);
    await putRaw({ BackendServerID: { N: '0' }, Revision: { S: 'seven' }, Epoch: { N: '1' } });
    for (const call of [
      one.snapshots.read('web', never),
      one.snapshots.revision('web', never),
      one.lease.read(never),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining('Revision is') });
    }
  });

  it('is for one service, and says so for another; a table of another kind is refused', async () => {
    const one = await open();
    const other = one.snapshots.read('api', never);
    await expect(other).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining('of "web"') });
    hsdoTable = await makeTable(moto, plainKeys);
    const wrong = await open();
    await expect(wrong.snapshots.revision('web', never)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('with the key BackendServerID (N)'),
    });
  });

  it('beside a plain table holds one named service, and all others are in the plain one', async () => {
    const table = await makeTable(moto, plainKeys);
    const two = [...services, { ...services[0], name: 'api' }] as typeof services;
    const store = dynamoConfig(moto, { table, hsdoTable });
    await expect(openHomes({ store, services: two }, systemClock, never)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('set hsdoService to one of "web", "api"'),
    });
    const homes = await openHomes({ store: { ...store, hsdoService: 'api' }, services: two }, systemClock, never);
    opened.push(homes);
    const term = await lead(homes);
    for (const service of ['web', 'api']) await publish(homes, undefined, { ...listOf(2), service }, term);
    expect((await itemOf(1))?.['ServerName']).toEqual({ S: 't1' });
    expect((await homes.store?.list('snapshot/', never))?.map(({ key }) => key)).toEqual([
      'snapshot/web/head',
      'snapshot/web/slots/0000',
    ]);
    for (const service of ['web', 'api']) expect((await homes.snapshots.read(service, never))?.slots).toHaveLength(2);
  });
});
