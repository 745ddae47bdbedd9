import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRefresh } from '../../src/discover/refresh.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { silentLog } from '../fixtures/log.ts';
import {
  askAlways,
  masterName,
  type RedisCluster,
  redisPassword,
  sentinelPassword,
  startRedisCluster,
} from '../fixtures/redis.ts';
import { sourceOf } from '../fixtures/sources.ts';
import { until } from '../fixtures/until.ts';

/** What somebody held from a moment on, by milliseconds of this process's own clock. */
interface Held {
  readonly at: number;
  readonly ports: string;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Watches what the sentinels answer, each over a connection of the test's own, and when a majority changed its mind. */
function watchSentinels(cluster: RedisCluster) {
  const answers = new Map<number, string>();
  const history: Held[] = [];
  const stops = cluster.sentinels.map(({ port }) =>
    askAlways(port, sentinelPassword, `SENTINEL GET-MASTER-ADDR-BY-NAME ${masterName}`, (answer) => {
      answers.set(port, /\r\n(\d+)\r\n$/.exec(answer)?.[1] ?? '');
      const said = [...answers.values()];
      const major = said.find((one) => said.filter((other) => other === one).length >= 2);
      if (major !== undefined && history.at(-1)?.ports !== major) history.push({ at: performance.now(), ports: major });
    }),
  );
  return {
    history,
    stop() {
      for (const stop of stops) stop();
    },
  };
}

/** The source as a server runs it, with everything that it ever held: sampled all the time, and at every read. */
function watchSource(cluster: RedisCluster) {
  const source = sourceOf({
    kind: 'redis-sentinel',
    masterName,
    sentinels: cluster.places,
    password: redisPassword,
  });
  const history: Held[] = [];
  const stopping = new AbortController();
  const refresh = createRefresh({
    service: 'cache',
    label: 'redis-sentinel',
    source,
    clock: systemClock,
    intervalMs: 1000,
    deadlineMs: 20_000,
    log: silentLog,
    metrics: createMetrics(),
    onRead: () => sample(),
  });
  const sample = () => {
    const held = refresh.latest();
    if (held === undefined) return;
    const ports = held.targets.map(({ port }) => String(port)).join();
    if (history.at(-1)?.ports !== ports) history.push({ at: performance.now(), ports });
  };
  const timer = setInterval(sample, 2);
  const running = refresh.run(stopping.signal);
  return {
    history,
    status: () => refresh.status(),
    async stop() {
      clearInterval(timer);
      stopping.abort(new Error('the test is over'));
      await running;
    },
  };
}

describeWith(['redis-server', 'redis-sentinel'], 'the source redis-sentinel over a real failover', () => {
  let cluster: RedisCluster;
  let sentinels: ReturnType<typeof watchSentinels>;
  let source: ReturnType<typeof watchSource>;

  beforeEach(async () => {
    cluster = await startRedisCluster();
    sentinels = watchSentinels(cluster);
    source = watchSource(cluster);
    const first = String(cluster.redises[0]?.port);
    await until('the first master is held', () => source.history.at(-1)?.ports === first);
  });
  afterEach(async () => {
    await source.stop();
    sentinels.stop();
    await cluster.stop();
  });

  /** The port of the new master once both the sentinels and the source have it; the source has a second for it. */
  async function newMaster(): Promise<string> {
    const before = source.history.at(-1)?.ports;
    const moved = await until('a majority names another master', () => {
      const last = sentinels.history.at(-1);
      return last?.ports === before ? undefined : last;
    });
    const held = await until('the source holds another master', () => {
      const last = source.history.at(-1);
      return last?.ports === before ? undefined : last;
    });
    expect(held.ports).toBe(moved.ports);
    expect(held.at - moved.at).toBeLessThan(1000);
    return held.ports;
  }
  /** Everything that was ever held, in order: one master at every moment. */
  const everHeld = () => source.history.map(({ ports }) => ports);

  it('holds the new master within a second when the old one is killed, and never the old one again', async () => {
    const [old] = cluster.redises;
    await old?.kill();
    const fresh = await newMaster();
    await old?.start();
    expect(await old?.say('ROLE')).toContain('master');
    await until('the sentinels have made it a replica', async () => (await old?.say('ROLE'))?.includes('slave'));
    expect(everHeld()).toEqual([String(old?.port), fresh]);
  });

  it('holds the new master within a second when the old one is paused, also while that one comes back as a master', async () => {
    const [old] = cluster.redises;
    old?.pause();
    const fresh = await newMaster();
    old?.resume();
    expect(await old?.say('ROLE')).toContain('master');
    // It goes on saying so for about ten seconds.
    await until('the sentinels have made it a replica', async () => (await old?.say('ROLE'))?.includes('slave'));
    expect(everHeld()).toEqual([String(old?.port), fresh]);
  });

  it('holds the new master within a second of a command, whatever a sentinel says that slept meanwhile', async () => {
    const [old] = cluster.redises;
    const [asleep, leader] = cluster.sentinels;
    asleep?.pause();
    await pause(300);
    expect(everHeld()).toEqual([String(old?.port)]);
    expect(await leader?.say(`SENTINEL FAILOVER ${masterName}`)).toContain('+OK');
    const fresh = await newMaster();
    asleep?.resume();
    const seen = await asleep?.say(`SENTINEL GET-MASTER-ADDR-BY-NAME ${masterName}`);
    expect(seen).toMatch(/\r\n\d+\r\n$/);
    await pause(2000);
    expect(everHeld()).toEqual([String(old?.port), fresh]);
  });

  it('keeps the last master when two of three sentinels are dead, says that it cannot know, and goes on after that', async () => {
    const [master] = cluster.redises;
    const [one, other, last] = cluster.sentinels;
    await Promise.all([one?.kill(), other?.kill()]);
    await until('a read fails', () => source.status().failures > 1);
    expect(source.status()).toMatchObject({ targets: 1, lastError: expect.stringMatching(/^No master "mymaster"/) });
    expect(await last?.say(`SENTINEL GET-MASTER-ADDR-BY-NAME ${masterName}`)).toContain(String(master?.port));
    await Promise.all([one?.start(), other?.start()]);
    await until('reads succeed', () => source.status().failures === 0);
    expect(everHeld()).toEqual([String(master?.port)]);
  });
});
