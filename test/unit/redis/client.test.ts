import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { HsdoError } from '../../../src/model/error.ts';
import { secret } from '../../../src/model/secret.ts';
import { askRedis, listenToRedis, loadLibrary } from '../../../src/redis/client.ts';
import { withDeadline } from '../../../src/time/deadline.ts';
import { freePort } from '../../fixtures/ports.ts';
import { type RedisStandIn, startRedisStandIn } from '../../fixtures/redis-stand-in.ts';
import { until } from '../../fixtures/until.ts';

const never = new AbortController().signal;

/** Asks a listener that answers each command with `text`; nothing may be left open. */
async function askOne(text: string, { onConnect = false, timeoutMs = 2000 } = {}): Promise<unknown> {
  const server = await startRedisStandIn((socket, said) => {
    if ((said === undefined) === onConnect) socket.write(Buffer.from(text, 'latin1'));
  });
  return ask(server, timeoutMs);
}

async function ask(server: RedisStandIn, timeoutMs = 2000): Promise<unknown> {
  try {
    return await withDeadline('Redis', timeoutMs, never, (signal) =>
      askRedis({ host: '127.0.0.1', port: server.port }, [['ROLE']], signal),
    ).catch((error: unknown) => error);
  } finally {
    await until('nothing is left open', () => server.open() === 0, { timeoutMs: 3000 });
    await server.stop();
  }
}

describe('a question to Redis', () => {
  it('gives values and error replies, in the order of the commands, over one connection', async () => {
    const server = await startRedisStandIn((socket, said) => {
      if (said !== undefined) socket.write('*2\r\n$1\r\na\r\n*1\r\n:7\r\n-ERR no\r\n$-1\r\n');
    });
    const replies = await askRedis({ host: '127.0.0.1', port: server.port }, [['A'], ['B'], ['C']], never);
    expect(replies).toEqual([{ value: ['a', [7]] }, { refusal: 'ERR no' }, { value: null }]);
    expect(server.accepted()).toBe(1);
    await server.stop();
  });

  it('fails as unavailable, with the reason, when nobody listens', async () => {
    const port = await freePort();
    await expect(askRedis({ host: '127.0.0.1', port }, [['ROLE']], never)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^Cannot ask Redis at "127\.0\.0\.1:\d+": .*ECONNREFUSED/),
    });
  });

  it.each([
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n', {}],
    ['a greeting of another protocol', 'SSH-2.0-OpenSSH_9.2p1\r\n', { onConnect: true }],
    ['bytes of no meaning', '\x00\xff\x10\x80'.repeat(100), {}],
    ['an answer that nobody asked for', '+OK\r\n+OK\r\n+OK\r\n', { onConnect: true }],
    ['lists in lists without end', '*1\r\n'.repeat(16_000), {}],
    ['lists that claim to be huge', '*32000000\r\n'.repeat(200), {}],
    ['a list that claims to be huger than any', '*99999999999\r\n', {}],
    ['a negative length', '*-7\r\n$-5\r\nabc\r\n!', { timeoutMs: 300 }],
    ['an answer of a megabyte', `$1048576\r\n${'x'.repeat(1_048_576)}\r\n`, {}],
    ['half an answer', '*2\r\n$9\r\n127.0', { timeoutMs: 300 }],
    ['no answer', '', { timeoutMs: 300 }],
  ])('fails on time, with nothing left open, on %s', async (_, text, options) => {
    const error = await askOne(text, options);
    expect(error).toBeInstanceOf(HsdoError);
    expect(error).toMatchObject({ code: 'unavailable' });
  });

  it('says what is wrong with an answer that would cost too much', async () => {
    expect(await askOne('*32000000\r\n'.repeat(200))).toMatchObject({
      message: expect.stringMatching(/the answer has a list of more than 1000 elements, which no answer of Redis has$/),
    });
    expect(await askOne(`$1048576\r\n${'x'.repeat(1_048_576)}`)).toMatchObject({
      message: expect.stringMatching(/the answer has more than 65536 bytes/),
    });
  });

  it('fails when the connection ends half-way', async () => {
    const server = await startRedisStandIn((socket, said) => {
      if (said !== undefined) socket.end('*2\r\n$3\r\n');
    });
    expect(await ask(server)).toMatchObject({ code: 'unavailable', message: expect.stringContaining('closed') });
  });

  it('ends at once when its signal is aborted, also while it connects', async () => {
    const server = await startRedisStandIn(() => {});
    for (const waitsFor of [0, 1]) {
      const stop = new AbortController();
      const asked = askRedis({ host: '127.0.0.1', port: server.port }, [['ROLE']], stop.signal);
      if (waitsFor === 1) await until('it is connected', () => server.open() === 1);
      stop.abort(new Error('enough'));
      await expect(asked).rejects.toThrow('enough');
      await until('it is gone', () => server.open() === 0);
    }
    await server.stop();
  });

  it('never shows a password, whoever repeats it', async () => {
    const server = await startRedisStandIn((socket, said) => {
      if (said !== undefined) socket.write('-WRONGPASS invalid username-password pair or user is disabled.\r\n');
    });
    const place = { host: '127.0.0.1', port: server.port, password: secret('very-secret') };
    const error: unknown = await askRedis(place, [['ROLE']], never).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'rejected', message: expect.stringContaining('it said WRONGPASS') });
    expect(JSON.stringify([error, (error as Error).cause])).not.toContain('very-secret');
    await server.stop();
  });
});

describe('listening to Redis', () => {
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  const message = (text: string) => `*3\r\n${bulk('message')}${bulk('news')}${bulk(text)}`;

  it('waits for a message that is wanted', async () => {
    let client: Socket | undefined;
    const server = await startRedisStandIn((socket, said) => {
      client = socket;
      if (said?.includes('subscribe')) socket.write(`*3\r\n${bulk('subscribe')}${bulk('news')}:1\r\n`);
    });
    const place = { host: '127.0.0.1', port: server.port };
    const listening: boolean[] = [];
    const isWanted = (text: string) => text === 'yes';
    const heard = listenToRedis(place, 'news', isWanted, () => listening.push(true), never);
    await until('it listens', () => listening.length === 1);
    client?.write(message('no') + message('yes'));
    expect(await heard).toBe('yes');
    await until('it is gone', () => server.open() === 0);
    await server.stop();
  });

  it('fails when the connection ends, and when there is no subscription', async () => {
    const server = await startRedisStandIn((socket, said) => {
      if (said?.includes('subscribe')) socket.end(`*3\r\n${bulk('subscribe')}${bulk('news')}:1\r\n`);
    });
    const place = { host: '127.0.0.1', port: server.port };
    const listening: boolean[] = [];
    const heard = listenToRedis(
      place,
      'news',
      () => true,
      () => listening.push(true),
      never,
    );
    await expect(heard).rejects.toMatchObject({ code: 'unavailable' });
    expect(listening).toEqual([true]);
    await server.stop();
    const again = listenToRedis(
      place,
      'news',
      () => true,
      () => listening.push(true),
      never,
    );
    await expect(again).rejects.toMatchObject({ code: 'unavailable' });
    expect(listening).toEqual([true]);
  });
});

describe('the package redis', () => {
  it('is named where it is missing', async () => {
    const missing = 'no-such-package';
    await expect(loadLibrary(() => import(missing) as Promise<never>)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/the package "redis" is not there/),
    });
  });
});
