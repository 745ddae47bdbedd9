import { afterEach, describe, expect, it } from 'vitest';
import { runProbe } from '../../../src/check/probing.ts';
import { createRedisSentinelCheck, redisSentinelSchema } from '../../../src/check/redis-sentinel.ts';
import type { Target } from '../../../src/model/target.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';
import { freePort } from '../../fixtures/ports.ts';
import { type RedisStandIn, sentinelAnswers, startRedisStandIn } from '../../fixtures/redis-stand-in.ts';
import { until } from '../../fixtures/until.ts';

const never = new AbortController().signal;
const running: RedisStandIn[] = [];
const start = async (...args: Parameters<typeof startRedisStandIn>) => {
  const standIn = await startRedisStandIn(...args);
  running.push(standIn);
  return standIn;
};
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

const targetAt = (port?: number, address = '127.0.0.1'): Target => ({
  id: `redis-${port}`,
  name: `redis-${port}`,
  address,
  group: 'cache',
  ...(port === undefined ? {} : { port }),
});

function checkOf(ports: readonly number[], more: Readonly<Record<string, unknown>> = {}, clock: Clock = systemClock) {
  const sentinels = ports.map((port) => ({ host: '127.0.0.1', port }));
  const config = redisSentinelSchema.parse({
    kind: 'redis-sentinel',
    masterName: 'mymaster',
    sentinels,
    timeoutSeconds: 10,
    ...more,
  });
  const check = createRedisSentinelCheck(config, { service: 'cache', clock });
  const rules = { timeoutMs: config.timeoutSeconds * 1000, retries: 0, clock: systemClock };
  return { check, probe: (target: Target) => runProbe(check, target, rules, never) };
}

/** A master and a sentinel that names it. */
async function startPair() {
  const master = await start(sentinelAnswers('127.0.0.1', 1));
  const sentinel = await start(sentinelAnswers('127.0.0.1', master.port));
  return { master, sentinel };
}

describe('the check redis-sentinel', () => {
  it('finds the agreed master up, as primary, and every other target not the master', async () => {
    const { master, sentinel } = await startPair();
    const { probe } = checkOf([sentinel.port]);
    expect(await probe(targetAt(master.port))).toMatchObject({
      result: 'up',
      code: 'ok',
      role: 'primary',
      message: `"127.0.0.1:${master.port}" is the master "mymaster"`,
    });
    expect(await probe(targetAt(1))).toEqual({
      result: 'down',
      code: 'not-master',
      message: `"127.0.0.1:1" is not the master "mymaster", which is "127.0.0.1:${master.port}"`,
    });
    expect(await probe(targetAt(master.port, '127.0.0.2'))).toMatchObject({ code: 'not-master' });
  });

  it('compares the address alone where no port is known, and the port of the check where that names one', async () => {
    const { master, sentinel } = await startPair();
    expect(await checkOf([sentinel.port]).probe(targetAt())).toMatchObject({ result: 'up' });
    expect(await checkOf([sentinel.port], { port: master.port }).probe(targetAt(9))).toMatchObject({ result: 'up' });
    expect(await checkOf([sentinel.port], { port: 9 }).probe(targetAt(master.port))).toMatchObject({ result: 'down' });
  });

  it('judges nobody without an agreement: silent, missing and refusing sentinels say nothing against a target', async () => {
    const { master, sentinel } = await startPair();
    const silent = await start(() => {});
    const closed = [await freePort(), await freePort()];
    const refusing = await start((socket) => void socket.write('-NOAUTH Authentication required.\r\n'.repeat(2)));
    for (const others of [[silent.port], closed, [refusing.port]]) {
      const { probe } = checkOf([sentinel.port, ...others], { timeoutSeconds: 1 });
      const found = await probe(targetAt(master.port));
      expect(found).toMatchObject({ result: 'unknown', code: 'no-quorum' });
      expect(found.message).toMatch(
        /^No master "mymaster" is agreed on: .* sentinels, expected 2 for one master; "127/,
      );
    }
  });

  it('asks once for all targets of a moment, and anew after it', async () => {
    const { master, sentinel } = await startPair();
    let laterMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
    const { probe } = checkOf([sentinel.port], {}, clock);
    const all = await Promise.all([master.port, 1, 2, 3, 4].map((port) => probe(targetAt(port))));
    expect(all.map(({ result }) => result)).toEqual(['up', 'down', 'down', 'down', 'down']);
    expect([sentinel.accepted(), master.accepted()]).toEqual([1, 1]);
    laterMs = 150;
    await probe(targetAt(1));
    expect([sentinel.accepted(), master.accepted()]).toEqual([2, 2]);
  });

  it('stops asking when nobody waits any more, and not before', async () => {
    const silent = await start(() => {});
    const { check } = checkOf([silent.port], { timeoutSeconds: 60 });
    const [first, second] = [new AbortController(), new AbortController()];
    const asked = [first, second].map(({ signal }) => check.check(targetAt(1), signal));
    await until('it asks', () => silent.open() === 1);
    first.abort(new Error('first left'));
    await expect(asked[0]).rejects.toThrow('first left');
    expect(silent.open()).toBe(1);
    second.abort(new Error('second left'));
    await expect(asked[1]).rejects.toThrow('second left');
    await until('nothing is left open', () => silent.open() === 0);
  });

  it('says that it could not ask when its certificates are missing', async () => {
    const { probe } = checkOf([1], { tls: { ca: '/no/such/file.pem' } });
    expect(await probe(targetAt(1))).toMatchObject({
      result: 'unknown',
      code: 'error',
      message: expect.stringContaining('Cannot read the certificates in "/no/such/file.pem"'),
    });
  });
});
