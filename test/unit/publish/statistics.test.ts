import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TargetStatistics, withProbe } from '../../../src/check/statistics.ts';
import { createStatisticsKeeper } from '../../../src/publish/statistics.ts';
import { openSqliteStore } from '../../../src/store/sqlite.ts';
import type { Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { probeOf } from '../../fixtures/checks.ts';
import { startAt } from '../../fixtures/lists.ts';

const never = new AbortController().signal;
const idOf = (n: number) => `i-${String(n).padStart(4, '0')}`;

function counted(signs: string): TargetStatistics {
  let statistics: TargetStatistics | undefined;
  for (const [n, sign] of Array.from(signs).entries()) statistics = withProbe(statistics, probeOf(sign), startAt + n);
  return statistics as TargetStatistics;
}
const many = (count: number, signs = '+-') =>
  new Map(Array.from({ length: count }, (_, n) => [idOf(n), counted(signs)] as const));

describe('the statistics of checks in a file', () => {
  let folder: string;
  let stores: Store[];
  const open = async () => {
    const store = await openSqliteStore({ kind: 'sqlite', path: join(folder, 'statistics.db') }, systemClock, never);
    stores.push(store);
    return store;
  };
  /** A keeper as the next process has it. */
  const keeper = async () => createStatisticsKeeper(await open());
  const pages = async (store: Store) => (await store.list('statistics/', never)).map(({ key }) => key);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hsdo-statistics-'));
    stores = [];
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('are there again after a restart, for each service its own', async () => {
    const [web, mail] = [many(3), new Map([[idOf(0), counted('+!?')]])];
    const before = await keeper();
    expect(await before.load('web', never)).toEqual(new Map());
    await before.save('web', web, never);
    await before.save('web.mail', mail, never);
    const after = await keeper();
    expect(await after.load('web', never)).toEqual(web);
    expect(await after.load('web.mail', never)).toEqual(mail);
  });

  it('lie in pages, of which only those that differ are written, and those of targets that left are removed', async () => {
    const store = await open();
    const kept = createStatisticsKeeper(store);
    await kept.save('web', many(250), never);
    expect(await pages(store)).toEqual(['statistics/web/0000', 'statistics/web/0001', 'statistics/web/0002']);
    const versions = async () => (await store.list('statistics/', never)).map(({ version }) => version);
    const before = await versions();
    await kept.save('web', new Map([...many(250), [idOf(120), counted('+++')]]), never);
    const after = await versions();
    expect(after.map((version, n) => version === before[n])).toEqual([true, false, true]);
    await kept.save('web', many(40), never);
    expect(await pages(store)).toEqual(['statistics/web/0000']);
    expect(await (await keeper()).load('web', never)).toEqual(many(40));
  });

  it('of thousands of targets fit, more pages than one commit holds', async () => {
    const kept = await keeper();
    await kept.save('web', many(7000, '+'), never);
    const loaded = await (await keeper()).load('web', never);
    expect(loaded.size).toBe(7000);
    expect(loaded.get(idOf(6999))).toEqual(counted('+'));
  });

  it('begin anew where a record cannot be read, and only there', async () => {
    const store = await open();
    await createStatisticsKeeper(store).save('web', many(150), never);
    for (const value of ['{', '[["i-1",{"successes":-1}]]', '7', '']) {
      await store.commit([{ op: 'put', key: 'statistics/web/0000', value }], never);
      const next = await keeper();
      expect([...(await next.load('web', never)).keys()]).toEqual(Array.from({ length: 50 }, (_, n) => idOf(n + 100)));
      await next.save('web', many(150), never);
      expect((await (await keeper()).load('web', never)).size).toBe(150);
    }
  });
});
