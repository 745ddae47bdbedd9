import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openDynamoStore } from '../../src/store/dynamodb.ts';
import { createMemoryEngine, openMemoryStore } from '../../src/store/memory.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { dynamoConfig, makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { type Moto, motoPrograms, startMoto } from '../fixtures/moto.ts';
import { describeBallots } from './ballots-suite.ts';

describeBallots('memory', async () => {
  const engine = createMemoryEngine();
  return { open: async () => openMemoryStore(engine), remove: async () => {} };
});

describeBallots('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hsdo-ballots-'));
  const config = { kind: 'sqlite', path: join(folder, 'hsdo.db') } as const;
  return {
    open: () => openSqliteStore(config, systemClock, new AbortController().signal),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});

describeWith(motoPrograms, 'DynamoDB', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto.stop());

  describeBallots('dynamodb', async () => {
    const table = await makeTable(moto, plainKeys);
    return {
      open: () => openDynamoStore(dynamoConfig(moto, { table, requestTimeoutMs: 10_000 }), systemClock),
      remove: async () => {},
    };
  });
});
