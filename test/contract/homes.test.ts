import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openHomes } from '../../src/publish/homes.ts';
import { createRecordLease } from '../../src/publish/record-lease.ts';
import { createRecordSnapshots } from '../../src/publish/record-snapshots.ts';
import { createMemoryEngine, openMemoryStore } from '../../src/store/memory.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { dynamoConfig, hsdoKeys, makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { type Moto, motoPrograms, startMoto } from '../fixtures/moto.ts';
import { describeHomes } from './homes-suite.ts';

const never = new AbortController().signal;
const services = [{ name: 'web', weight: { min: 1, increase: 1, intervalSeconds: 30 } }];

describeHomes('memory', async () => {
  const engine = createMemoryEngine();
  return {
    async open() {
      const store = openMemoryStore(engine);
      return {
        lease: createRecordLease(store),
        snapshots: createRecordSnapshots(store),
        store,
        close: () => store.close(),
      };
    },
    remove: async () => {},
  };
});

describeHomes('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hsdo-homes-'));
  const store = { kind: 'sqlite', path: join(folder, 'hsdo.db') } as const;
  return {
    open: () => openHomes({ store, services }, systemClock, never),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});

describeWith(motoPrograms, 'DynamoDB', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto.stop());

  for (const [name, makeTables] of [
    ['a plain table', async () => ({ table: await makeTable(moto, plainKeys) })],
    ["HSDO's table alone", async () => ({ hsdoTable: await makeTable(moto, hsdoKeys) })],
    [
      "a plain table and HSDO's",
      async () => ({ table: await makeTable(moto, plainKeys), hsdoTable: await makeTable(moto, hsdoKeys) }),
    ],
  ] as const) {
    describeHomes(name, async () => {
      const store = dynamoConfig(moto, { ...(await makeTables()), requestTimeoutMs: 3000 });
      return { open: () => openHomes({ store, services }, systemClock, never), remove: () => moto.reset() };
    });
  }
});
