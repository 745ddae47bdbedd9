import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/deliver/dns/config.ts';
import { createTcp } from '../../../../src/deliver/dns/transport/tcp.ts';
import { hasCode } from '../../../../src/model/error.ts';
import { createFakeClock } from '../../../fixtures/clock.ts';
import { until } from '../../../fixtures/until.ts';
import { createEcho } from './echo.ts';

const loopback = { host: '127.0.0.1', port: 0 };
const frame = (text: string) => {
  const content = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length);
  return Buffer.concat([length, content]);
};

const clean: (() => void)[] = [];
afterEach(() => {
  for (const close of clean.splice(0)) close();
});

async function start(limits: { maxConnections?: number; idleMs?: number } = {}, at: Endpoint = loopback) {
  const echo = createEcho();
  const clock = createFakeClock();
  const stop = new AbortController();
  const tcp = createTcp({ responder: echo.responder, clock, maxConnections: 10, idleMs: 10_000, ...limits });
  const { endpoint } = await tcp.listen({ endpoint: at });
  const running = tcp.run(stop.signal);
  clean.push(() => {
    stop.abort();
    tcp.close();
  });
  return { ...echo, tcp, clock, endpoint, running };
}

async function dial(to: Endpoint) {
  const socket: Socket = connect({ ...to, allowHalfOpen: true });
  clean.push(() => socket.destroy());
  let heard = Buffer.alloc(0);
  let isOver = false;
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
  });
  socket.on('end', () => {
    isOver = true;
  });
  socket.on('close', () => {
    isOver = true;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return {
    socket,
    isOver: () => isOver,
    messages() {
      const all: string[] = [];
      for (let at = 0; at + 2 <= heard.length; at += 2 + heard.readUInt16BE(at)) {
        const end = at + 2 + heard.readUInt16BE(at);
        if (end <= heard.length) all.push(heard.subarray(at + 2, end).toString());
      }
      return all;
    },
  };
}

describe('DNS over TCP', () => {
  it('answers many queries on one connection, also when they come in one piece', async () => {
    const { endpoint, asked } = await start();
    const client = await dial(endpoint);
    client.socket.write(Buffer.concat(['a', 'b', 'c'].map(frame)));
    await until('the answers', () => client.messages().length === 3);
    client.socket.write(frame('d'));
    await until('one more', () => client.messages().length === 4);
    expect(client.messages()).toEqual(['a', 'b', 'c', 'd']);
    expect(asked).toEqual(Array(4).fill('tcp 127.0.0.1'));
  });

  it('puts queries together wherever they were cut', async () => {
    const { endpoint } = await start({ maxConnections: 1000 });
    const words = fc.array(fc.string({ minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(words, fc.array(fc.nat(), { maxLength: 6 }), async (texts, cuts) => {
        const wanted = texts.filter((text) => !/^(silent|later|soon|big)/.test(text)).map((text) => `=${text}`);
        const whole = Buffer.concat(wanted.map(frame));
        const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort((a, b) => a - b);
        const client = await dial(endpoint);
        for (const [n, place] of places.entries()) {
          client.socket.write(whole.subarray(places[n - 1] ?? 0, place));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await until('the answers', () => client.messages().length === wanted.length);
        expect(client.messages()).toEqual(wanted);
        client.socket.destroy();
      }),
      { numRuns: 50 },
    );
  });

  it('does not let a query that has to wait hold up the others (RFC 7766 section 6.2.1.1)', async () => {
    const { endpoint, waiting } = await start();
    const client = await dial(endpoint);
    client.socket.write(Buffer.concat(['later 1', 'now', 'soon', 'later 2'].map(frame)));
    await until('the others', () => client.messages().length === 2 && waiting.length === 2);
    for (const send of waiting.reverse()) send();
    await until('all', () => client.messages().length === 4);
    expect(client.messages()).toEqual(['now', 'soon', 'later 2', 'later 1']);
  });

  it('takes an endless row of queries that are answered at once though they were to wait', async () => {
    const { endpoint } = await start();
    const client = await dial(endpoint);
    client.socket.write(Buffer.concat(Array.from({ length: 5000 }, () => frame('soon'))));
    await until('all', () => client.messages().length === 5000);
  });

  it('answers a client that has ended its half, and then ends its own', async () => {
    const { endpoint, waiting } = await start();
    const client = await dial(endpoint);
    client.socket.end(Buffer.concat([frame('now'), frame('later')]));
    await until('the first', () => client.messages().length === 1 && waiting.length === 1);
    expect(client.isOver()).toBe(false);
    waiting[0]?.();
    await until('the end', client.isOver);
    expect(client.messages()).toEqual(['now', 'later']);
  });

  it.each([
    ['without a length', Buffer.from([0, 0])],
    ['longer than any query', Buffer.from([0xff, 0xff, 1, 2, 3])],
  ])('ends a connection with a message %s, and no other', async (_what, message) => {
    const { endpoint } = await start();
    const [bad, good] = [await dial(endpoint), await dial(endpoint)];
    bad.socket.write(Buffer.concat([frame('before'), message]));
    await until('the end', bad.isOver);
    good.socket.write(frame('still'));
    await until('an answer', () => good.messages().length === 1);
  });

  it('sends away those who say nothing, or never finish what they say, and keeps those who talk', async () => {
    const { endpoint, clock, tcp } = await start({ idleMs: 10_000 });
    const [silent, slow, talking] = [await dial(endpoint), await dial(endpoint), await dial(endpoint)];
    await until('all', () => tcp.connections() === 3);
    for (let n = 1; n <= 4; n += 1) {
      await clock.advance(4000);
      slow.socket.write(Buffer.from([n === 1 ? 0 : 9]));
      talking.socket.write(frame(`${n}`));
      await until('its answer', () => talking.messages().length === n);
    }
    await until('both to be gone', () => silent.isOver() && slow.isOver());
    expect(talking.isOver()).toBe(false);
    expect(tcp.connections()).toBe(1);
  });

  it('waits longer for other servers, but not for ever', async () => {
    const { endpoint, clock, waiting } = await start({ idleMs: 1000 });
    const client = await dial(endpoint);
    client.socket.write(frame('later'));
    await until('it to wait', () => waiting.length === 1);
    await clock.advance(20_000);
    expect(client.isOver()).toBe(false);
    await clock.advance(20_000);
    await until('the end', client.isOver);
    expect(() => waiting[0]?.()).not.toThrow();
  });

  it('reads no more from a client that does not read, and sends it away in the end', async () => {
    const { endpoint, asked, clock, tcp } = await start({ idleMs: 1000 });
    const client = await dial(endpoint);
    client.socket.pause();
    const queries = 4000;
    client.socket.write(Buffer.concat(Array.from({ length: queries }, () => frame('big 60000'))));
    await until('it to stand still', async () => {
      const before = asked.length;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return before > 0 && asked.length === before;
    });
    // What fits into the buffers of both kernels, and a little more.
    expect(asked.length).toBeLessThan(queries / 4);
    const other = await dial(endpoint);
    other.socket.write(frame('hello'));
    await until('an answer to somebody else', () => other.messages().length === 1);
    await clock.advance(1000);
    await clock.advance(1000);
    await until('it to be gone', () => tcp.connections() <= 1);
  });

  it('goes on with a slow client as fast as that one reads', async () => {
    const { endpoint } = await start();
    const client = await dial(endpoint);
    client.socket.pause();
    client.socket.write(Buffer.concat(Array.from({ length: 60 }, () => frame('big 60000'))));
    await new Promise((resolve) => setImmediate(resolve));
    client.socket.resume();
    await until('all answers', () => client.messages().length === 60);
  });

  it('closes the connection that was idle for longest to make room, and refuses when none is idle', async () => {
    const { endpoint, clock, waiting, tcp } = await start({ maxConnections: 2, idleMs: 60_000 });
    const first = await dial(endpoint);
    await until('one', () => tcp.connections() === 1);
    await clock.advance(100);
    const second = await dial(endpoint);
    await until('two', () => tcp.connections() === 2);
    await clock.advance(100);
    first.socket.write(frame('later'));
    await until('it to wait', () => waiting.length === 1);
    const third = await dial(endpoint);
    await until('the idle one to be gone', second.isOver);
    third.socket.write(frame('later'));
    await until('it to wait', () => waiting.length === 2);
    const fourth = await dial(endpoint);
    await until('the new one to be refused', fourth.isOver);
    for (const send of waiting) send();
    await until('both answers', () => first.messages().length === 1 && third.messages().length === 1);
  });

  it('lets nobody hold a place with half a query', async () => {
    const { endpoint, tcp } = await start({ maxConnections: 3, idleMs: 60_000 });
    const halves = await Promise.all(Array.from({ length: 3 }, () => dial(endpoint)));
    for (const { socket } of halves) socket.write(frame('never whole').subarray(0, 5));
    await until('all places to be taken', () => tcp.connections() === 3);
    const honest = await dial(endpoint);
    honest.socket.write(frame('whole'));
    await until('the answer', () => honest.messages().length === 1);
    expect(tcp.connections()).toBe(3);
  });

  it('listens on IPv6, says which address cannot be had, and closes everything', async () => {
    const { endpoint, tcp } = await start({}, { host: '::1', port: 0 });
    const client = await dial(endpoint);
    client.socket.write(frame('six'));
    await until('the answer', () => client.messages().length === 1);
    const failure = await tcp.listen({ endpoint }).catch((error: unknown) => error);
    expect(hasCode(failure, 'config')).toBe(true);
    expect(String(failure)).toContain(`tcp "[::1]:${endpoint.port}": EADDRINUSE`);
    tcp.close();
    await until('the end', client.isOver);
    await expect(dial(endpoint)).rejects.toThrow('ECONNREFUSED');
  });
});
