import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { startConsul } from '../fixtures/consul.ts';
import { makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { startEtcd } from '../fixtures/etcd.ts';
import { startFaultProxy } from '../fixtures/fault-proxy.ts';
import { motoPrograms, startMoto } from '../fixtures/moto.ts';
import { knownToPaused, leaseTtlMs, reads, startTakeoverStage, type TakeoverStage } from '../fixtures/takeover.ts';
import { until } from '../fixtures/until.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const first = ['10.0.0.1', '10.0.0.2'];
/** How often a follower asks where the store cannot wake it. */
const pollMs = leaseTtlMs / 4;
/** What a machine may add that is busy with other tests. */
const busyMs = 1500;

/** Every server ends and comes back, one after the other; gives how long nobody led each time. */
async function restartAll(stage: TakeoverStage): Promise<number[]> {
  const gaps: number[] = [];
  for (let n = 0; n < 2; n += 1) {
    const [leader, epoch, at] = [await stage.leader(), stage.epoch(), performance.now()];
    const ended = leader.stop();
    gaps.push(await stage.electedAfter(epoch, at));
    await ended;
    await leader.start();
    await reads(leader, 2);
  }
  return gaps;
}

/** The leader is killed or ends while there is something to write; gives the time until the next one has written it. */
async function replaceLeader(
  stage: TakeoverStage,
  how: 'kill' | 'stop',
  addresses: readonly string[],
): Promise<number> {
  const [leader, epoch, at] = [await stage.leader(), stage.epoch(), performance.now()];
  const ended = how === 'kill' ? leader.kill() : leader.stop();
  await stage.report(addresses, ...stage.servers);
  const gap = await stage.writtenAfter(epoch, at);
  await stage.holds(addresses);
  await ended;
  if (how === 'stop') await leader.start();
  if (how === 'stop') await reads(leader, addresses.length);
  return gap;
}

/** The leader stands still for three times its ttl; then it says that it follows before it does anything else. */
async function pauseLeader(stage: TakeoverStage, addresses: readonly string[]): Promise<void> {
  const said = await stage.pauseLeader(3 * leaseTtlMs, addresses);
  expect(said.map(({ state }) => state).filter((state) => state !== undefined)).toEqual(['follower']);
  expect(said.filter(({ msg }) => msg === 'slot')).toEqual([]);
}

/** Everything that one store has to show, on one pair of servers. */
async function show(name: string, stage: TakeoverStage, pollingMs: number, more?: () => Promise<void>): Promise<void> {
  const revision = stage.lists.at(-1)?.revision;
  const stops = await restartAll(stage);
  expect(stage.lists.at(-1)?.revision).toBe(revision);
  const stop = await replaceLeader(stage, 'stop', ['10.0.0.1']);
  await pauseLeader(stage, ['10.0.0.1', '10.0.0.4']);
  await more?.();
  const kill = await replaceLeader(stage, 'kill', ['10.0.0.1', '10.0.0.3']);
  const { lists } = stage;
  const figures = [...stops, stop, kill].map((ms) => `${Math.round(ms)} ms`);
  console.log(
    `${name}: clean stop to election ${figures[0]} and ${figures[1]}, to the first list ${figures[2]}; kill to the first list ${figures[3]}`,
  );
  expect(Math.min(...stops, stop)).toBeLessThan(300 + pollingMs);
  expect(Math.max(...stops, stop)).toBeLessThan(300 + pollingMs + busyMs);
  // The emulator of DynamoDB answers one request at a time, which on a busy machine adds up.
  expect(kill).toBeLessThan(leaseTtlMs + 1000 + 2 * pollingMs + (pollingMs > 0 ? busyMs : 0));
  expect(lists.map(({ epoch }) => epoch)).toEqual(lists.map(({ epoch }) => epoch).sort((a, b) => a - b));
  expect(lists.flatMap(({ addresses }) => addresses)).not.toContain(knownToPaused);
}

describe('a change of leader, on the embedded store', () => {
  it('is quick after a clean stop, waits for a dead leader, and lets nothing of a paused one in', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-takeover-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const stage = await startTakeoverStage({ kind: 'sqlite', path: join(folder, 'hsdo.db') }, first);
    closers.push(() => stage.remove());
    await show('sqlite', stage, 0);
  });
});

describeWith(['etcd'], 'a change of leader, on etcd', () => {
  it('is quick after a clean stop, waits for a dead leader, and lets nothing of a paused one in', async () => {
    const etcd = await startEtcd();
    closers.push(() => etcd.stop());
    const stage = await startTakeoverStage({ kind: 'etcd', endpoints: [...etcd.endpoints] }, first);
    closers.push(() => stage.remove());
    await show('etcd', stage, 0);
  });
});

describeWith(['consul'], 'a change of leader, on Consul', () => {
  it('is quick after a clean stop, waits for a dead leader, and lets nothing of a paused one in', async () => {
    const consul = await startConsul();
    closers.push(() => consul.stop());
    const stage = await startTakeoverStage({ kind: 'consul', url: consul.url }, first);
    closers.push(() => stage.remove());
    await show('consul', stage, 0);
  });
});

describeWith(motoPrograms, 'a change of leader, on DynamoDB', () => {
  it('is quick after a clean stop, waits for a dead leader, lets nothing of a paused one in, and needs more than lost answers', async () => {
    const moto = await startMoto();
    closers.push(() => moto.stop());
    const proxy = await startFaultProxy(moto.endpoint);
    closers.push(() => proxy.stop());
    const table = await makeTable(moto, plainKeys);
    const { credentials, region } = moto;
    const store = { kind: 'dynamodb', table, region, endpoint: proxy.endpoint };
    const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
    const seenAt = { ...store, endpoint: moto.endpoint, credentials };
    const stage = await startTakeoverStage(store, first, { env, seenAt });
    closers.push(() => stage.remove());
    await show('dynamodb', stage, pollMs, async () => {
      const [epoch, asked] = [stage.epoch(), proxy.count('PutItem')];
      proxy.inject('drop-response', 3, 'PutItem');
      proxy.inject('drop-response', 3, 'TransactWriteItems');
      await stage.report(['10.0.0.1', '10.0.0.5'], ...stage.servers);
      await stage.holds(['10.0.0.1', '10.0.0.5']);
      await until('the lease was renewed through it', () => proxy.count('PutItem') > asked + 5);
      expect(stage.epoch()).toBe(epoch);
    });
  });
});
