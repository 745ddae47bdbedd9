import { afterAll, beforeAll, expect, it } from 'vitest';
import { runProbe } from '../../src/check/probing.ts';
import { createRedisSentinelCheck, redisSentinelSchema } from '../../src/check/redis-sentinel.ts';
import type { Target } from '../../src/model/target.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { masterName, type RedisCluster, redisPassword, startRedisCluster } from '../fixtures/redis.ts';
import { type RedisStandIn, startRedisStandIn } from '../fixtures/redis-stand-in.ts';
import { sourceOf, targetsOf } from '../fixtures/sources.ts';

const never = new AbortController().signal;
const targetAt = (port: number): Target => ({
  id: `r-${port}`,
  name: `r-${port}`,
  address: '127.0.0.1',
  port,
  group: 'r',
});

describeWith(['redis-server', 'redis-sentinel'], 'redis-sentinel on a real Redis with three sentinels', () => {
  let cluster: RedisCluster;
  const hostile: RedisStandIn[] = [];
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(async () => {
    for (const one of hostile) await one.stop();
    await cluster.stop();
  });

  const settings = (more: Readonly<Record<string, unknown>> = {}) => ({
    kind: 'redis-sentinel',
    masterName,
    sentinels: cluster.places,
    password: redisPassword,
    timeoutSeconds: 10,
    ...more,
  });
  const failureOf = (more: Readonly<Record<string, unknown>>) =>
    sourceOf(settings(more))
      .discover(never)
      .then(
        (found) => `found ${JSON.stringify(found)}`,
        (error: unknown) => error,
      );
  const probe = (target: Target, more: Readonly<Record<string, unknown>> = {}) => {
    const config = redisSentinelSchema.parse(settings(more));
    const check = createRedisSentinelCheck(config, { service: 'cache', clock: systemClock });
    return runProbe(check, target, { timeoutMs: config.timeoutSeconds * 1000, retries: 0, clock: systemClock }, never);
  };

  it('finds the master as a source, and as a check tells it from its replicas', async () => {
    const [master, ...replicas] = cluster.redises.map(({ port }) => port);
    expect(await targetsOf(sourceOf(settings()))).toEqual([
      { id: 'sentinel/mymaster', name: 'mymaster', address: '127.0.0.1', port: master, group: 'mymaster' },
    ]);
    expect(await probe(targetAt(master ?? 0))).toMatchObject({ result: 'up', code: 'ok', role: 'primary' });
    for (const port of replicas) {
      expect(await probe(targetAt(port))).toEqual({
        result: 'down',
        code: 'not-master',
        message: `"127.0.0.1:${port}" is not the master "mymaster", which is "127.0.0.1:${master}"`,
      });
    }
  });

  it('says what is wrong with a name or a password, and that asking again cannot help', async () => {
    const wrong = cluster.places.map((place) => ({ ...place, password: 'wrong-password' }));
    const none = cluster.places.map(({ host, port }) => ({ host, port }));
    for (const [more, reason] of [
      [{ masterName: 'other' }, /knows no master "other"/],
      [{ sentinels: wrong }, /it said WRONGPASS/],
      [{ sentinels: none }, /said NOAUTH/],
      [{ password: 'wrong-password' }, /it said WRONGPASS/],
      [{ password: undefined }, /which the sentinels agree on, said NOAUTH/],
    ] as const) {
      const error = await failureOf(more);
      expect(error).toMatchObject({ code: 'rejected', message: expect.stringMatching(reason) });
      expect(String(error)).not.toContain('wrong-password');
    }
  });

  it('says that a Redis is no sentinel', async () => {
    const sentinels = cluster.redises.map(({ port }) => ({ host: '127.0.0.1', port, password: redisPassword }));
    expect(await failureOf({ sentinels })).toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/said ERR unknown command/),
    });
    // With the wrong place as well as with the wrong name nobody is judged.
    expect(await probe(targetAt(1), { sentinels })).toMatchObject({ result: 'unknown', code: 'no-quorum' });
  });

  it.each([
    ['garbage', (said: string) => `HTTP/1.1 400 ${said}\r\n\r\n`],
    ['an endless answer', () => `$1048576\r\n${'x'.repeat(1_048_576)}`],
    ['lists that claim to be huge', () => '*32000000\r\n'.repeat(200)],
    ['nothing', () => ''],
  ])('goes on with two good sentinels beside one that says %s', async (_, answer) => {
    const bad = await startRedisStandIn((socket, said) => {
      if (said !== undefined) socket.write(answer(said));
    });
    hostile.push(bad);
    const [one, other] = cluster.places;
    const sentinels = [{ host: '127.0.0.1', port: bad.port }, one, other];
    expect(await targetsOf(sourceOf(settings({ sentinels })))).toMatchObject([{ port: cluster.redises[0]?.port }]);
    // Two of three bad ones leave no majority, and that is said on time.
    const alone = [one, { host: '127.0.0.1', port: bad.port }, { host: 'localhost', port: bad.port }];
    const startedAt = performance.now();
    expect(await failureOf({ sentinels: alone, timeoutSeconds: 1 })).toMatchObject({ code: 'unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});

describeWith(['redis-server', 'redis-sentinel'], 'redis-sentinel with sentinels that announce names', () => {
  it('gives the address behind the name', async () => {
    const cluster = await startRedisCluster({ hostName: 'localhost' });
    try {
      const [sentinel] = cluster.sentinels;
      expect(await sentinel?.say(`SENTINEL GET-MASTER-ADDR-BY-NAME ${masterName}`)).toContain('localhost');
      const source = sourceOf({
        kind: 'redis-sentinel',
        masterName,
        sentinels: cluster.places,
        password: redisPassword,
      });
      expect(await targetsOf(source)).toMatchObject([{ address: '127.0.0.1', port: cluster.redises[0]?.port }]);
    } finally {
      await cluster.stop();
    }
  });
});
