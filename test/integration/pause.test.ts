import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { addressesOf } from '../fixtures/cluster.ts';
import { describeWith } from '../fixtures/component.ts';
import { hsdoKeys, makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { startFaultProxy } from '../fixtures/fault-proxy.ts';
import { faultsIn, recordSqlite, recordTable } from '../fixtures/history.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { motoPrograms, startMoto } from '../fixtures/moto.ts';
import { until } from '../fixtures/until.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const first = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
/** Known to the paused leader alone: its slot is one that the new leader never touches. */
const newcomer = '10.0.0.4';

/** Every server reads a list of its own, so that a late write of one is no write that the other would do anyway. */
const report = (server: Hsdo, addresses: readonly string[]) =>
  writeFile(join(server.folder, 'targets.yaml'), JSON.stringify(addresses));

async function startServers(store: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv = {}) {
  const service = { name: 'web', size: 6, source: { kind: 'file', path: 'targets.yaml' }, drainSeconds: 0 };
  const config = { services: [service], store, intervalSeconds: 0.2, cluster: { leaseTtlSeconds: 1 } };
  const start = async (nodeId: string) => {
    const server = await startHsdo({ role: 'server', nodeId, config, env });
    closers.push(() => server.remove());
    await report(server, first);
    return server;
  };
  const leader = await start('first');
  await until('the first server published', async () => (await leader.slots('web')).length === 6);
  const second = await start('second');
  await until(
    'the second has read its source',
    async () => (await second.status()).services[0]?.sources[0]?.targets === 3,
  );
  return { leader, second };
}

const leads = async (server: Hsdo) => (await server.status()).lease?.state === 'leader';
const holds = async (server: Hsdo, addresses: readonly string[]) =>
  addressesOf(await server.slots('web')).join() === [...addresses].sort().join();

/** The second server takes over and publishes a change of its own, on slots that the first does not touch. */
async function takeOver(second: Hsdo): Promise<void> {
  await until('the second leads', () => leads(second));
  await report(second, first.slice(1));
  await until('the second published', () => holds(second, first.slice(1)));
}

/** The first one wakes: it follows, what it wanted to write is nowhere, and the second goes on. */
async function wake(leader: Hsdo, second: Hsdo): Promise<void> {
  leader.resume();
  await until('the first follows', async () => (await leader.status()).lease?.state === 'follower');
  expect(await leads(second)).toBe(true);
  expect(await holds(second, first.slice(1))).toBe(true);
  await report(second, first);
  await until('the second goes on', () => holds(second, first));
}

describe('a leader that is stopped in the middle of a round', () => {
  it('writes nothing after another took over, on the embedded store', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-pause-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'hsdo.db');
    const { leader, second } = await startServers({ kind: 'sqlite', path });
    const history = recordSqlite(path);
    closers.push(() => history.close());
    // Its commit waits for the lock when it is stopped, and goes on when it wakes.
    const unlock = history.lock();
    await report(leader, [...first, newcomer]);
    await until(
      'the leader has seen the newcomer',
      async () =>
        (await leader.metric('hsdo_discover_targets')).has('service="web",source="file"') &&
        [...(await leader.metric('hsdo_discover_targets')).values()].includes(4),
    );
    leader.pause();
    unlock();
    await takeOver(second);
    const before = history.read();
    await wake(leader, second);
    expect(before.length).toBeGreaterThan(0);
    expect(history.read().slice(0, before.length)).toEqual(before);
    expect(faultsIn(history.read())).toEqual([]);
    expect(new Set(history.read().map(({ epoch }) => epoch))).toEqual(new Set([2]));
  });

  it('writes nothing after another took over, through many pauses at any moment', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-pause-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'hsdo.db');
    const servers = Object.values(await startServers({ kind: 'sqlite', path }));
    const history = recordSqlite(path);
    closers.push(() => history.close());
    const churn = async (server: Hsdo, n: number) => report(server, [...first, `10.0.1.${n % 200}`]);
    for (let n = 1; n <= 4; n += 1) {
      const paused = await until('one leads', async () => {
        for (const server of servers) if (await leads(server)) return server;
        return false;
      });
      const other = servers.find((server) => server !== paused) as Hsdo;
      const revision = history.read().length;
      await churn(paused, n);
      if (n % 2 === 0) await until('it published', () => history.read().length > revision);
      paused.pause();
      await until('the other leads', () => leads(other));
      await churn(other, n + 100);
      await until('the other published', () => holds(other, [...first, `10.0.1.${n + 100}`]));
      paused.resume();
      await until('the paused one follows', async () => (await paused.status()).lease?.state === 'follower');
    }
    expect(faultsIn(history.read())).toEqual([]);
    expect(history.read().at(-1)?.epoch).toBe(5);
  });
});

describeWith(motoPrograms, 'a leader whose write is under way while it is stopped', () => {
  for (const isAlone of [true, false]) {
    it(`is refused by HSDO's table ${isAlone ? 'alone' : 'beside a plain one'}`, async () => {
      const moto = await startMoto();
      closers.push(() => moto.stop());
      const proxy = await startFaultProxy(moto.endpoint);
      closers.push(() => proxy.stop());
      const history = recordTable(proxy);
      const hsdoTable = await makeTable(moto, hsdoKeys);
      const tables = isAlone ? { hsdoTable } : { hsdoTable, table: await makeTable(moto, plainKeys) };
      const { accessKeyId, secretAccessKey } = moto.credentials;
      const { leader, second } = await startServers(
        { kind: 'dynamodb', ...tables, endpoint: proxy.endpoint, region: moto.region },
        { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      );
      let letGo: () => void = () => {};
      const held = new Promise<void>((caught) => {
        proxy.onRequest((operation, body) => {
          if (operation !== 'TransactWriteItems' || !body.includes(newcomer)) return undefined;
          leader.pause();
          caught();
          proxy.onRequest(undefined);
          return new Promise((resolve) => {
            letGo = resolve;
          });
        });
      });
      await report(leader, [...first, newcomer]);
      await held;
      await takeOver(second);
      const before = history.taken.length;
      // The write of the stopped leader arrives now, a whole term too late.
      letGo();
      await wake(leader, second);
      expect(before).toBeGreaterThan(1);
      expect(history.refused).toContainEqual({ revision: 2, epoch: 1 });
      expect(faultsIn(history.taken)).toEqual([]);
      // On a busy machine the second may have to be elected again; the stopped one's epoch is over in any case.
      expect(history.taken.slice(1).filter(({ epoch }) => epoch < 2)).toEqual([]);
    });
  }
});
