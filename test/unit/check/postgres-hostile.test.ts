import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  authenticated,
  type Impostors,
  message,
  probePostgres,
  ready,
  startImpostors,
} from '../../fixtures/postgres-impostor.ts';

let impostors: Impostors;

beforeEach(() => {
  impostors = startImpostors();
});
afterEach(() => {
  expect(impostors.stop()).toEqual([]);
});

describe('a port that is no PostgreSQL', () => {
  it.each([
    ['a line of text', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['zeros', Buffer.alloc(2000)],
    ['a message of an unknown kind', message('!', 'x')],
    ['a wish for a log-in that nobody knows', message('R', [0, 0, 0, 99])],
    ['a message that is shorter than it says inside', Buffer.concat([authenticated, message('T', [0, 9, 1])])],
    ['rows that nobody asked for', Buffer.concat([authenticated, message('D', [0, 1, 0, 0, 0, 1, 65])])],
    [
      'scrambled SASL',
      Buffer.concat([message('R', [0, 0, 0, 10], 'SCRAM-SHA-256\0\0'), message('R', [0, 0, 0, 11], 'x')]),
    ],
    ['an answer without rows', Buffer.concat([authenticated, ready, message('C', 'SELECT 0\0'), ready])],
    ['endless messages', Buffer.concat(Array.from({ length: 15_000 }, () => message('N', [0])))],
  ])('that sends %s is found out', async (_, bytes) => {
    const found = await probePostgres(await impostors.answering(bytes));
    expect(found).toMatchObject({ result: 'down', code: 'protocol' });
    await impostors.allClosed();
  });

  it('that sends data without end is read up to a bound', async () => {
    const flood = (socket: Socket) => {
      const chunk = Buffer.concat(Array.from({ length: 500 }, () => message('S', 'a\0b\0')));
      const pour = () => {
        while (socket.writable && socket.write(chunk));
      };
      socket.on('drain', pour);
      pour();
    };
    expect(await probePostgres(await impostors.listen(flood))).toMatchObject({
      code: 'protocol',
      message: expect.stringMatching(/65536/),
    });
    const longMessage = (socket: Socket) => {
      socket.write(Buffer.from([0x53, 0x7f, 0xff, 0xff, 0xff]));
      const pour = () => {
        while (socket.writable && socket.write(Buffer.alloc(8192, 65)));
      };
      socket.on('drain', pour);
      pour();
    };
    expect(await probePostgres(await impostors.listen(longMessage))).toMatchObject({ code: 'protocol' });
    await impostors.allClosed();
  });

  it('that says nothing, or stops in the middle, times out on time', async () => {
    const startedAt = performance.now();
    expect(await probePostgres(await impostors.listen(() => {}), {}, 100)).toMatchObject({
      result: 'down',
      code: 'timeout',
    });
    expect(await probePostgres(await impostors.answering(authenticated), {}, 100)).toMatchObject({ code: 'timeout' });
    expect(
      await probePostgres(await impostors.answering(Buffer.concat([authenticated, ready])), {}, 100),
    ).toMatchObject({
      code: 'timeout',
    });
    expect(await probePostgres(await impostors.listen(() => {}), { tls: true }, 100)).toMatchObject({
      code: 'timeout',
    });
    expect(await probePostgres(await impostors.answering('S'), { tls: true }, 100)).toMatchObject({ code: 'timeout' });
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await impostors.allClosed();
  });

  it('that hangs up is a reset', async () => {
    expect(await probePostgres(await impostors.listen((socket) => socket.end()))).toMatchObject({
      result: 'down',
      code: 'reset',
    });
    const abrupt = await impostors.listen((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    expect(await probePostgres(abrupt)).toMatchObject({ result: 'down', code: 'reset' });
    const half = await impostors.listen((socket) => void socket.once('data', () => socket.end(authenticated)));
    expect(await probePostgres(half)).toMatchObject({ result: 'down', code: 'reset' });
    expect(await probePostgres(await impostors.listen((socket) => socket.end()), { tls: true })).toMatchObject({
      code: 'reset',
    });
  });

  it.each([
    ['no', 'N', 'tls'],
    ['neither yes nor no', 'E', 'protocol'],
    ['yes, and slips in what is not encrypted', Buffer.concat([Buffer.from('S'), authenticated, ready]), 'protocol'],
  ])('that answers the wish for TLS with %s is not spoken to', async (_, bytes, code) => {
    expect(await probePostgres(await impostors.answering(bytes), { tls: true })).toMatchObject({
      result: 'down',
      code,
    });
    await impostors.allClosed();
  });

  it('that speaks something else after its yes to TLS has no acceptable TLS', async () => {
    const port = await impostors.listen((socket) => {
      socket.once('data', () => socket.write('S', () => socket.once('data', () => socket.write('garbage garbage'))));
    });
    expect(await probePostgres(port, { tls: true })).toMatchObject({ result: 'down', code: 'tls' });
    await impostors.allClosed();
  });
});
