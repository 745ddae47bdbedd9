import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createTcpCheck, tcpSchema } from '../../../src/check/tcp.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { until } from '../../fixtures/until.ts';

const context = { service: 'web', clock: systemClock };
const servers: { server: Server; sockets: Set<Socket> }[] = [];

/** A real listener; `serve` is given each connection. */
async function listen(serve: (socket: Socket) => void = () => {}, address = '127.0.0.1') {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
    serve(socket);
  });
  servers.push({ server, sockets });
  server.listen(0, address);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, sockets, server };
}

function ask(port: number | undefined, options: object = {}, address = '127.0.0.1', signal?: AbortSignal) {
  const check = createTcpCheck(tcpSchema.parse({ kind: 'tcp', ...options }), context);
  const target = { id: 'i-1', name: 'web-1', address, group: 'web', ...(port === undefined ? {} : { port }) };
  return check.check(target, signal ?? new AbortController().signal);
}

afterEach(() => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

describe('the check "tcp"', () => {
  it('calls a target up whose port accepts connections, with the time that this took', async () => {
    const { port } = await listen();
    const probe = await ask(port);
    expect(probe).toMatchObject({ result: 'up', code: 'ok', message: `127.0.0.1:${port} accepts connections` });
    expect(probe.connectMs).toBeGreaterThan(0);
    expect(probe.totalMs).toBeGreaterThanOrEqual(probe.connectMs ?? 0);
  });

  it('asks IPv6 targets, and the port of the check before that of the target', async () => {
    const { port } = await listen(undefined, '::1');
    expect(await ask(1, { port }, '::1')).toMatchObject({ result: 'up', message: `[::1]:${port} accepts connections` });
  });

  it('says "refused" where nobody listens, and cannot ask without a port', async () => {
    const { port, server } = await listen();
    server.close();
    await once(server, 'close');
    expect(await ask(port)).toMatchObject({ result: 'down', code: 'refused' });
    expect(await ask(undefined)).toMatchObject({ result: 'unknown', code: 'error' });
  });

  it('says "unreachable" where there is no way', async () => {
    // Linux answers so for TCP to an address of many hosts, whatever the routes of the machine.
    for (const address of ['224.0.0.1', '255.255.255.255'])
      expect(await ask(80, {}, address)).toMatchObject({ result: 'down', code: 'unreachable' });
    expect(await ask(80, {}, 'fe80::1%nowhere')).toMatchObject({ result: 'unknown', code: 'error' });
  });

  it('sends and expects text, and finds it in pieces', async () => {
    const { port } = await listen((socket) =>
      socket.once('data', (chunk) => {
        for (const part of ['+PO', `NG ${chunk.toString()}`]) socket.write(part);
      }),
    );
    expect(await ask(port, { send: 'PING ü\r\n', expect: '+PONG PING ü\r\n' })).toMatchObject({ result: 'up' });
    expect(await ask(port, { send: 'secret' })).toMatchObject({ result: 'up' });
  });

  it('waits for a greeting without sending anything', async () => {
    const { port } = await listen((socket) => socket.write('220 mail ready\r\n'));
    expect(await ask(port, { expect: '220 ' })).toMatchObject({ result: 'up' });
  });

  it('says "body" when the text is not in an answer that ended, or in its first 64 KiB', async () => {
    const ending = await listen((socket) => socket.end('-ERR no'));
    const probe = await ask(ending.port, { send: 'my password', expect: '+OK' });
    expect(probe).toMatchObject({ result: 'down', code: 'body' });
    expect(probe.message).toContain('expected "+OK", but the answer ended after 7 bytes without it');
    expect(probe.message).not.toContain('password');
    const endless = await listen((socket) => {
      const pour = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(16_384, 'x')));
      };
      socket.on('drain', pour);
      pour();
    });
    expect(await ask(endless.port, { expect: '+OK' })).toMatchObject({ code: 'body' });
    await until('the connection is closed', () => endless.sockets.size === 0);
  });

  it('says "reset" when the connection ends without an answer, or is reset', async () => {
    const silent = await listen((socket) => socket.end());
    expect(await ask(silent.port, { expect: 'x' })).toMatchObject({ result: 'down', code: 'reset' });
    const rude = await listen((socket) => socket.resetAndDestroy());
    expect(await ask(rude.port, { expect: 'x' })).toMatchObject({ result: 'down', code: 'reset' });
  });

  it('closes its connection at once when it is stopped, and leaves none after any outcome', async () => {
    const { port, sockets } = await listen((socket) => socket.write('no'));
    const stops = Array.from({ length: 100 }, () => new AbortController());
    const asking = stops.map(({ signal }) => ask(port, { expect: 'yes' }, '127.0.0.1', signal));
    await until('all are connected', () => sockets.size === 100);
    for (const stop of stops) stop.abort(new Error('stopped'));
    for (const result of await Promise.allSettled(asking)) expect(result.status).toBe('rejected');
    await until('all are closed', () => sockets.size === 0);
    for (let round = 0; round < 100; round += 1) await ask(port, { expect: 'no' });
    await until('none is left', () => sockets.size === 0);
    const left = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap');
    expect(left).toEqual([]);
  });

  it('refuses options that make no sense', () => {
    expect(tcpSchema.parse({ kind: 'tcp' })).toMatchObject({ timeoutSeconds: 1, retries: 0, intervalSeconds: 10 });
    for (const bad of [{ port: 0 }, { send: '' }, { expect: '' }, { expect: 'x'.repeat(5000) }, { sends: 'x' }])
      expect(tcpSchema.safeParse({ kind: 'tcp', ...bad }).success).toBe(false);
  });
});
