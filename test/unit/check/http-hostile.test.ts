import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../../src/check/health-check.ts';
import {
  httpAnswer,
  httpCheck,
  httpTarget,
  probe,
  startWireServer,
  type WireServer,
} from '../../fixtures/http-probes.ts';
import { freePort } from '../../fixtures/ports.ts';
import { until } from '../../fixtures/until.ts';

const servers: WireServer[] = [];

async function wire(...args: Parameters<typeof startWireServer>): Promise<WireServer> {
  const server = await startWireServer(...args);
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** Writes one more piece every few milliseconds, as long as somebody is there. */
function drip(socket: Socket, piece: () => string, everyMs = 5): void {
  const timer = setInterval(() => socket.write(piece()), everyMs);
  socket.once('close', () => clearInterval(timer));
}

const head = 'HTTP/1.1 200 OK\r\n';
const reset = (socket: Socket) => void socket.resetAndDestroy();

type Behaviour = Parameters<typeof startWireServer>[0];

/** Answers of broken or ill-meaning servers, and what a check finds. */
const answers: readonly (readonly [string, Behaviour, code: string, words: string])[] = [
  ['answers 1xx before the answer', `HTTP/1.1 103 Early Hints\r\n\r\n${httpAnswer('200 OK')}`, 'ok', 'answered 200'],
  ['says 100 again and again', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000), 'protocol', 'more than 16 answers'],
  [
    'switches protocols unasked',
    'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'status',
    'answered 101',
  ],
  ['closes at once', (socket) => socket.end(), 'reset', 'ended before the answer was complete'],
  ['resets at once', reset, 'reset', 'ended before'],
  ['closes in the header', (socket) => socket.end(`${head}Server: x`), 'reset', 'ended before'],
  [
    'sends less than it announced',
    (socket) => socket.end(`${head}Content-Length: 9\r\n\r\nshort`),
    'reset',
    'ended before',
  ],
  [
    'leaves the last chunk out',
    (socket) => socket.end(`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`),
    'reset',
    'ended before',
  ],
  [
    'resets half-way',
    (socket) => socket.write(`${head}Content-Length: 9\r\n\r\nhalf`, () => reset(socket)),
    'reset',
    'ended before',
  ],
  ['sends more than it announced', `${head}Content-Length: 2\r\n\r\nfar more`, 'protocol', 'is not HTTP'],
  ['announces two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc`, 'protocol', 'is not HTTP'],
  ['announces no number', `${head}Content-Length: -1\r\n\r\nabc`, 'protocol', 'is not HTTP'],
  ['sends a chunk of no size', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc`, 'protocol', 'is not HTTP'],
  ['does not speak HTTP', '+PONG\r\n\x1b[2J', 'protocol', 'is not HTTP'],
  ['sends a huge header', `${head}X: ${'x'.repeat(20_000)}\r\n\r\n`, 'protocol', 'the header is larger than 16 KiB'],
  [
    'sends endless headers',
    (socket) => drip(socket, () => `X: ${'x'.repeat(1000)}\r\n`.repeat(9), 1),
    'protocol',
    'HTTP',
  ],
  ['never ends its body', (socket) => drip(socket, endless(head), 1), 'ok', 'answered 200'],
  [
    'never ends its chunks',
    (socket) => drip(socket, endless(`${head}Transfer-Encoding: chunked\r\n`, '400\r\n', '\r\n'), 1),
    'ok',
    'answered 200',
  ],
];

/** A header, and then 1 KiB after the other. */
function endless(header: string, before = '', after = ''): () => string {
  let isFirst = true;
  return () => {
    const start = isFirst ? `${header}\r\n` : '';
    isFirst = false;
    return `${start}${before}${'x'.repeat(1024)}${after}`;
  };
}

/** Servers that take longer than anybody waits. */
const slow: readonly (readonly [string, Behaviour])[] = [
  ['never answers', () => {}],
  ['sends its header byte by byte', (socket) => drip(socket, slowly(`${head}X-Long: ${'x'.repeat(5000)}`))],
  [
    'sends its body byte by byte',
    (socket) => drip(socket, slowly(`${head}Content-Length: 50000\r\n\r\n${'x'.repeat(5000)}`)),
  ],
  ['says nothing after its header', `${head}Content-Length: 1\r\n\r\n`],
  ['holds back the last chunk', `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`],
];

function slowly(text: string): () => string {
  let sent = 0;
  return () => {
    sent += 1;
    return text[sent - 1] ?? '';
  };
}

describe('an http check of a server that', () => {
  it.each(answers)('%s', async (_, behaviour, code, words) => {
    const server = await wire(behaviour);
    const result = await probe(httpCheck(), httpTarget(server), 5000);
    expect(result).toMatchObject({ result: code === 'ok' ? 'up' : 'down', code });
    expect(result.message).toContain(words);
    expect(result.message).toMatch(/^[ -~]{1,300}$/);
    await until('the connection is closed', () => server.open() === 0);
  });

  it.each(slow)('%s is left when the time is over, and its connection closed', async (_, behaviour) => {
    const server = await wire(behaviour);
    const startedAt = performance.now();
    await expect(probe(httpCheck(), httpTarget(server), 200)).rejects.toThrow('did not answer in 200 ms');
    expect(performance.now() - startedAt).toBeLessThan(1500);
    await until('the connection is closed', () => server.open() === 0);
    expect(server.opened()).toBe(1);
  });

  it('is silent in the TLS handshake is left when the time is over', async () => {
    const server = await wire('', { onConnect: () => {} });
    const check = httpCheck({ scheme: 'https' });
    await expect(probe(check, httpTarget(server), 200)).rejects.toThrow('did not answer in 200 ms');
    await until('the connection is closed', () => server.open() === 0);
  });

  it('never ends its body has no text that can be found, nor is waited for with a wrong code', async () => {
    const server = await wire((socket) => drip(socket, endless(head), 1));
    const searching = httpCheck({ expectedBody: 'needle', maxBodyBytes: 10_000 });
    const result = await probe(searching, httpTarget(server), 5000);
    expect(result).toMatchObject({ result: 'down', code: 'body' });
    expect(result.message).toContain('and 10000 bytes, expected the text "needle"');
    const refusing = httpCheck({ expectedCodes: '204', maxBodyBytes: 1_048_576 });
    expect(await probe(refusing, httpTarget(server), 5000)).toMatchObject({ result: 'down', code: 'status' });
  });
});

describe('hundreds of probes', () => {
  const inUse = () =>
    process
      .getActiveResourcesInfo()
      .filter((name) => /TCP|TLS|Connect|GetAddr|Timeout|Immediate/.test(name))
      .sort();

  /** Runs `count` probes, 20 at a time, all with one signal unless each is cut off; returns what they said. */
  async function many(check: HealthCheck, port: number, count: number, cutAfterMs?: number): Promise<Set<string>> {
    const codes = new Set<string>();
    const all = new AbortController();
    const one = async () => {
      const own = cutAfterMs === undefined ? all : new AbortController();
      const cut = () => own.abort(new Error('cut off'));
      try {
        const result = check.check(httpTarget({ address: '127.0.0.1', port }), own.signal);
        if (cutAfterMs === 0) queueMicrotask(cut);
        else if (cutAfterMs !== undefined) setTimeout(cut, cutAfterMs);
        codes.add((await result).code);
      } catch (error) {
        codes.add((error as Error).message);
      }
      expect(own === all || getEventListeners(own.signal, 'abort').length === 0).toBe(true);
    };
    for (let done = 0; done < count; done += 20) await Promise.all(Array.from({ length: 20 }, one));
    expect(getEventListeners(all.signal, 'abort')).toEqual([]);
    return codes;
  }

  const half: Behaviour = `${head}Content-Length: 9\r\n\r\nhalf`;
  type Kind = readonly [
    string,
    Behaviour,
    options: Readonly<Record<string, unknown>>,
    code: string,
    cutAfterMs: number | undefined,
  ];
  const kinds: readonly Kind[] = [
    ['pass', httpAnswer('200 OK', 'fine'), {}, 'ok', undefined],
    ['find a wrong code', httpAnswer('500 Broken', 'sorry'), {}, 'status', undefined],
    ['miss the text', httpAnswer('200 OK', 'fine'), { expectedBody: 'well' }, 'body', undefined],
    ['stop in the middle of a body', httpAnswer('200 OK', 'x'.repeat(99_999)), { maxBodyBytes: 9 }, 'ok', undefined],
    ['run in circles', httpAnswer('302 Found', '', ['Location: /']), { followRedirects: true }, 'redirect', undefined],
    ['are reset', reset, {}, 'reset', undefined],
    ['find garbage', 'SSH-2.0-OpenSSH_9.2\r\n', {}, 'protocol', undefined],
    ['find no TLS', 'SSH-2.0-OpenSSH_9.2\r\n', { scheme: 'https' }, 'tls', undefined],
    ['are cut off in the answer', half, {}, 'cut off', 40],
    ['are cut off while they connect', half, {}, 'cut off', 0],
  ];

  it.each(kinds)(
    'that %s leave no connection, listener or timer behind',
    async (_, behaviour, options, code, cutAfterMs) => {
      const isGreeting = code === 'tls';
      const server = await wire(behaviour, isGreeting ? { onConnect: (socket) => socket.write('SSH-2.0\r\n') } : {});
      const before = inUse();
      expect([...(await many(httpCheck(options), server.port, 200, cutAfterMs))]).toEqual([code]);
      await until('no connection is open', () => server.open() === 0);
      await until('nothing is left', () => inUse().length <= before.length);
    },
  );

  it('that are refused leave nothing behind', async () => {
    const before = inUse();
    const port = await freePort('127.0.0.1');
    expect([...(await many(httpCheck(), port, 200))]).toEqual(['refused']);
    await until('nothing is left', () => inUse().length <= before.length);
  });

  it('that were cut off before they began open no connection', async () => {
    const server = await wire(httpAnswer('200 OK'));
    const reason = new Error('stopped');
    const call = httpCheck().check(httpTarget(server), AbortSignal.abort(reason));
    await expect(call).rejects.toBe(reason);
    expect(server.opened()).toBe(0);
  });
});
