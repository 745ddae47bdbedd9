import { afterEach, describe, expect, it } from 'vitest';
import { createRedisSentinelSource, redisSentinelSchema } from '../../../src/discover/redis-sentinel.ts';
import { systemClock } from '../../../src/time/clock.ts';
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

/** A Redis that says it is the master. */
const startMaster = () => start(sentinelAnswers('127.0.0.1', 1));

function sourceOf(ports: readonly number[], more: Readonly<Record<string, unknown>> = {}) {
  const sentinels = ports.map((port) => ({ host: '127.0.0.1', port }));
  const config = redisSentinelSchema.parse({
    kind: 'redis-sentinel',
    masterName: 'mymaster',
    sentinels,
    timeoutSeconds: 10,
    ...more,
  });
  return createRedisSentinelSource(config, { aws: {}, clock: systemClock });
}

/** Three sentinels that name what the test says, one Redis each. */
async function startThree(masters: () => readonly { readonly host: string; readonly port: number }[]) {
  const ports: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    const one = await start((socket, said) => {
      const { host, port } = masters()[n] ?? { host: '', port: 0 };
      sentinelAnswers(host, port)(socket, said);
    });
    ports.push(one.port);
  }
  return ports;
}

describe('the source redis-sentinel', () => {
  it('gives the agreed master as its one target, whose id and name stay', async () => {
    const [one, other] = [await startMaster(), await startMaster()];
    let port = one.port;
    const ports = await startThree(() => [1, 2, 3].map(() => ({ host: '127.0.0.1', port })));
    const source = sourceOf(ports);
    const sighting = { id: 'sentinel/mymaster', name: 'mymaster', address: '127.0.0.1', group: 'mymaster' };
    expect(await source.discover(never)).toEqual([{ ...sighting, port }]);
    port = other.port;
    expect(await source.discover(never)).toEqual([{ ...sighting, port }]);
    expect(await sourceOf(ports, { group: 'cache' }).discover(never)).toEqual([{ ...sighting, group: 'cache', port }]);
  });

  it('cannot know while no majority of all sentinels names one master', async () => {
    const [one, other] = [await startMaster(), await startMaster()];
    const masters = [one, other, { port: 1 }].map(({ port }) => ({ host: '127.0.0.1', port }));
    const ports = await startThree(() => masters);
    await expect(sourceOf(ports).discover(never)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^No master "mymaster" is agreed on: 1 for .* of 3 sentinels, expected 2/),
    });
    // One of three answers alone: there is no such thing as the majority of those that answer.
    const alone = [ports[0] ?? 0, await freePort(), await freePort()];
    await expect(sourceOf(alone).discover(never)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('waits neither for a silent sentinel that is not needed, nor long for one that is', async () => {
    const { port } = await startMaster();
    const ports = await startThree(() => [1, 2, 3].map(() => ({ host: '127.0.0.1', port })));
    const silent = await start(() => {});
    const startedAt = performance.now();
    await sourceOf([silent.port, ...ports.slice(0, 2)], { timeoutSeconds: 15 }).discover(never);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    const needy = sourceOf([silent.port, ports[0] ?? 0], { timeoutSeconds: 0.4 });
    await expect(needy.discover(never)).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await until('every connection is closed', () => running.every((one) => one.open() === 0));
  });

  it('does not believe a majority that the master itself contradicts', async () => {
    const replica = await start((socket, said) => {
      if (said?.includes('ROLE'))
        socket.write('*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:6379\r\n$9\r\nconnected\r\n:1\r\n');
    });
    const ports = await startThree(() => [1, 2, 3].map(() => ({ host: '127.0.0.1', port: replica.port })));
    await expect(sourceOf(ports).discover(never)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/which the sentinels agree on, says that it is slave, expected master$/),
    });
  });

  it('resolves a name that sentinels announce, and never takes an unusable address for "no target"', async () => {
    const { port } = await startMaster();
    const named = (host: string) => startThree(() => [1, 2, 3].map(() => ({ host, port })));
    expect(await sourceOf(await named('localhost')).discover(never)).toMatchObject([{ address: '127.0.0.1', port }]);
    await expect(sourceOf(await named('no-such-host.invalid')).discover(never)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Cannot resolve "no-such-host.invalid"'),
    });
    await expect(sourceOf(await named('0.0.0.0')).discover(never)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^Master "mymaster" cannot be a target: address is "0\.0\.0\.0"/),
    });
  });

  it('gives its hint when the master moved between the read and the subscriptions', async () => {
    const [one, other] = [await startMaster(), await startMaster()];
    let port = one.port;
    const source = sourceOf(await startThree(() => [1, 2, 3].map(() => ({ host: '127.0.0.1', port }))));
    await source.discover(never);
    port = other.port;
    await source.changed?.(never);
    expect(await source.discover(never)).toMatchObject([{ port }]);
  });

  it('gives its hint when a master is agreed on again, though no sentinel says a word', async () => {
    const { port } = await startMaster();
    let isAgreed = false;
    const ports = await startThree(() => [1, 2, 3].map((n) => ({ host: '127.0.0.1', port: isAgreed ? port : n })));
    const source = sourceOf(ports);
    await expect(source.discover(never)).rejects.toMatchObject({ code: 'unavailable' });
    const changed = source.changed?.(never);
    expect(await Promise.race([changed, systemClock.sleep(1200, never).then(() => 'nothing new')])).toBe('nothing new');
    isAgreed = true;
    await changed;
    expect(await source.discover(never)).toMatchObject([{ port }]);
  });

  it('says so when it cannot listen to any sentinel', async () => {
    const { port } = await startMaster();
    const ports: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const one = await start((socket, said) => {
        if (said?.includes('subscribe')) socket.write('-NOPERM this user has no permissions to run this command\r\n');
        else sentinelAnswers('127.0.0.1', port)(socket, said);
      });
      ports.push(one.port);
    }
    const source = sourceOf(ports);
    await source.discover(never);
    await expect(source.changed?.(never)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'Cannot listen to any of the sentinels of "mymaster"',
    });
  });

  it('leaves a master that keeps it waiting as soon as the sentinels agree on another', async () => {
    const [silent, other] = [await start(() => {}), await startMaster()];
    let port = silent.port;
    const source = sourceOf(await startThree(() => [1, 2, 3].map(() => ({ host: '127.0.0.1', port }))));
    const startedAt = performance.now();
    const read = source.discover(never);
    await until('the read waits for the master', () => silent.open() === 1);
    port = other.port;
    expect(await read).toMatchObject([{ port: other.port }]);
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });

  it('does not believe a master that was long in coming when another was chosen meanwhile', async () => {
    const other = await startMaster();
    let wake: () => void = () => {};
    const slow = await start((socket, said) => {
      if (said !== undefined) wake = () => sentinelAnswers('', 1)(socket, said);
    });
    let port = slow.port;
    const ports = await startThree(() => [1, 2, 3].map(() => ({ host: '127.0.0.1', port })));
    // It answers in the moment in which the sentinels begin to name another.
    const read = sourceOf(ports).discover(never);
    await until('the master is asked', () => slow.open() === 1);
    await systemClock.sleep(500, never);
    port = other.port;
    wake();
    expect(await read).toMatchObject([{ port: other.port }]);
  });

  it('ends with its signal and leaves nothing open', async () => {
    const silent = await start(() => {});
    const source = sourceOf([silent.port], { timeoutSeconds: 15 });
    const stop = new AbortController();
    const both = [source.discover(stop.signal), source.changed?.(stop.signal)];
    await until('it asks and listens', () => silent.open() === 2);
    stop.abort(new Error('enough'));
    for (const one of both) await expect(one).rejects.toThrow('enough');
    await until('every connection is closed', () => silent.open() === 0);
  });
});

describe('the configuration of redis-sentinel', () => {
  const parse = (more: object) =>
    redisSentinelSchema.safeParse({
      kind: 'redis-sentinel',
      masterName: 'm',
      sentinels: [{ host: '10.0.0.1' }],
      ...more,
    });

  it('has the ports and times that Redis has', () => {
    expect(parse({}).data).toMatchObject({ sentinels: [{ port: 26_379 }], timeoutSeconds: 2, tls: false });
  });

  it('refuses a name that could end a command, a sentinel that stands there twice, and none at all', () => {
    expect(parse({ masterName: 'a b' }).success).toBe(false);
    expect(parse({ masterName: 'a\r\nSHUTDOWN' }).success).toBe(false);
    expect(parse({ sentinels: [] }).success).toBe(false);
    expect(parse({ sentinels: [{ host: 'S' }, { host: 's', port: 26_379 }] }).success).toBe(false);
    expect(parse({ sentinels: [{ host: 's' }, { host: 's', port: 26_380 }] }).success).toBe(true);
    expect(parse({ sentinels: [{ host: 'a b' }] }).success).toBe(false);
  });

  it('keeps passwords to itself', () => {
    const sentinels = [{ host: 's', password: 'spw' }];
    const shown = JSON.stringify(parse({ sentinels, password: 'pw' }).data);
    expect(shown).not.toMatch(/pw"/);
    expect(shown).toContain('***');
  });
});
