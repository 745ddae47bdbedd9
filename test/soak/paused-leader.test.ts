import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { startConsul } from '../fixtures/consul.ts';
import { makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { startEtcd } from '../fixtures/etcd.ts';
import { motoPrograms, startMoto } from '../fixtures/moto.ts';
import { knownToPaused, startTakeoverStage, type TakeoverStage } from '../fixtures/takeover.ts';

const pauseMs = 60_000;
const first = ['10.0.0.1', '10.0.0.2'];
const later = ['10.0.0.1', '10.0.0.3'];

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Start = () => Promise<TakeoverStage>;

const stages: Readonly<Record<string, Start>> = {
  async sqlite() {
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-paused-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    return startTakeoverStage({ kind: 'sqlite', path: join(folder, 'hsdo.db') }, first);
  },
  async etcd() {
    const etcd = await startEtcd();
    closers.push(() => etcd.stop());
    return startTakeoverStage({ kind: 'etcd', endpoints: [...etcd.endpoints] }, first);
  },
  async consul() {
    const consul = await startConsul();
    closers.push(() => consul.stop());
    return startTakeoverStage({ kind: 'consul', url: consul.url }, first);
  },
  async dynamodb() {
    const moto = await startMoto();
    closers.push(() => moto.stop());
    const { credentials, region, endpoint } = moto;
    const store = { kind: 'dynamodb', table: await makeTable(moto, plainKeys), region, endpoint };
    const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
    return startTakeoverStage(store, first, { env, seenAt: { ...store, credentials } });
  },
};

describeWith(['etcd', 'consul', ...motoPrograms], 'a leader that is stopped for a minute', () => {
  it('writes nothing when it goes on, and says first that it follows, on every store', async () => {
    const played = await Promise.all(
      Object.entries(stages).map(async ([name, start]) => {
        const stage = await start();
        closers.push(() => stage.remove());
        const said = await stage.pauseLeader(pauseMs, later);
        return { name, said, lists: stage.lists };
      }),
    );
    for (const { name, said, lists } of played) {
      const states = said.flatMap(({ state }) => state ?? []);
      process.stdout.write(
        `${name}: stopped for ${pauseMs / 1000} s, then: ${said.map(({ msg }) => msg).join(', ')}\n`,
      );
      expect(states, name).toEqual(['follower']);
      expect(said.filter(({ msg }) => msg === 'slot')).toEqual([]);
      expect(lists.flatMap(({ addresses }) => addresses)).not.toContain(knownToPaused);
      const epochs = lists.map(({ epoch }) => epoch);
      expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    }
  });
});
