import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type Program, startProgram } from '../fixtures/program.ts';
import { until } from '../fixtures/until.ts';
import { describeStore } from './store-suite.ts';

describeStore('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hsdo-sqlite-'));
  const config = { kind: 'sqlite', path: join(folder, 'state', 'hsdo.db') } as const;
  return {
    open: () => openSqliteStore(config, systemClock, new AbortController().signal),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});

const never = new AbortController().signal;
const writerFile = join(import.meta.dirname, '..', 'fixtures', 'store-writer.ts');
const startWriter = (path: string, name: string, pauseMs: number): Program =>
  startProgram(process.execPath, ['--import', 'tsx', writerFile, path, name, String(pauseMs)]);
const lastOf = (writer: Program) => Number(writer.output().trimEnd().split('\n').at(-1) || 0);

describe('sqlite between real processes', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hsdo-sqlite-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const openHere = () =>
    openSqliteStore({ kind: 'sqlite', path: join(folder, 'hsdo.db') }, systemClock, new AbortController().signal);

  it('tells a change by another process within moments', async () => {
    const store = await openHere();
    const writer = startWriter(join(folder, 'hsdo.db'), 'w', 60);
    await until('the writer writes', () => lastOf(writer) > 0);
    const ages: number[] = [];
    for (let n = 0; n < 30; n++) {
      await store.changed?.('writer/', never);
      const at = Number((await store.get('writer/w/at', never))?.value);
      ages.push(performance.timeOrigin + performance.now() - at);
    }
    await writer.stop();
    await store.close();
    ages.sort((a, b) => a - b);
    const [median = 0, worst = 0] = [ages[15], ages[29]];
    console.log(
      `a change by another process was seen after ${median.toFixed(1)} ms (median), ${worst.toFixed(1)} ms (worst of 30)`,
    );
    expect(median).toBeLessThan(1000);
  });

  it('survives writers killed in the middle: nothing told is lost, nothing is half, nobody is locked out', async () => {
    const store = await openHere();
    for (let n = 0; n < 4; n++) {
      const name = `w${n}`;
      const writer = startWriter(join(folder, 'hsdo.db'), name, 0);
      await until('the writer writes', () => lastOf(writer) > 50 + n * 7);
      writer.signal('SIGKILL');
      await writer.exited;
      const [number, copy] = [
        await store.get(`writer/${name}/n`, never),
        await store.get(`writer/${name}/copy`, never),
      ];
      expect(Number(number?.value)).toBeGreaterThanOrEqual(lastOf(writer));
      expect(copy?.value).toBe(number?.value);
      expect(copy?.version).toBe(number?.version);
      const startedAt = performance.now();
      await store.commit([{ op: 'put', key: 'after', value: name }], never);
      console.log(`the first commit after the kill took ${(performance.now() - startedAt).toFixed(1)} ms`);
    }
    await store.close();
  });

  it('lets several processes write at once without losing a commit', async () => {
    const writers = ['a', 'b', 'c'].map((name) => startWriter(join(folder, 'hsdo.db'), name, 1));
    await until('all write', () => writers.every((writer) => lastOf(writer) > 40));
    await Promise.all(writers.map((writer) => writer.stop()));
    const store = await openHere();
    for (const [n, name] of ['a', 'b', 'c'].entries()) {
      expect(Number((await store.get(`writer/${name}/n`, never))?.value)).toBeGreaterThanOrEqual(
        lastOf(writers[n] as Program),
      );
      expect(writers[n]?.output()).not.toMatch(/error/i);
    }
    const versions = (await store.list('writer/', never)).filter((e) => e.key.endsWith('/n')).map((e) => e.version);
    expect(new Set(versions).size).toBe(3);
    await store.close();
  });
});
