import { afterEach, describe, expect, it } from 'vitest';
import { addressBytes } from '../../../../src/deliver/dns/network.ts';
import { askLater, type Responder } from '../../../../src/deliver/dns/responder.ts';
import { batchSize, messageLayout, vectorLayout } from '../../../../src/deliver/dns/transport/batch-memory.ts';
import type { Libc } from '../../../../src/deliver/dns/transport/libc.ts';
import { linux, openUdpSocket, type UdpSocket } from '../../../../src/deliver/dns/transport/linux-socket.ts';
import { loadLibc } from '../../../../src/deliver/dns/transport/load-libc.ts';
import { createBatch } from '../../../../src/deliver/dns/transport/udp-batch.ts';
import { type UdpClient, udpClient } from '../../../fixtures/udp.ts';
import { until } from '../../../fixtures/until.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => new TextDecoder().decode(content);

const clean: (() => void)[] = [];
afterEach(() => {
  for (const close of clean.splice(0)) close();
});

async function client(host = '127.0.0.1'): Promise<UdpClient> {
  const made = await udpClient(host);
  clean.push(made.close);
  return made;
}

/** Echoes, `later` ones a turn later; notes the addresses of those who ask. */
function createEcho() {
  const addresses: string[] = [];
  const responder: Responder = {
    now(query, start, length, { address }, reply) {
      addresses.push(address.join('.'));
      const content = query.slice(start, start + length);
      reply.set(content);
      return text(content).startsWith('later') ? askLater : length;
    },
    later: (query, _asker, send) => void setImmediate(() => send(query)),
  };
  return { responder, addresses };
}

async function serve(libc: Libc, socket: UdpSocket) {
  const echo = createEcho();
  const listener = await createBatch(libc, echo.responder).open(socket);
  clean.push(listener.close);
  return { ...echo, listener, port: listener.endpoint.port };
}

/** Bindings that this machine has: one on Linux, none elsewhere, where batches are never used. */
const found = await loadLibc(['koffi']);
const bindings = typeof found === 'string' ? [] : [found];

describe.each(bindings)('a batch by $name', (libc) => {
  const open = (host: string, port = 0) => openUdpSocket(libc, { host, port }, addressBytes);

  it('takes IPv6 alone on ::, so that 0.0.0.0 can have the same port', async () => {
    const { port, addresses } = await serve(libc, open('::'));
    const beside = await serve(libc, open('0.0.0.0', port));
    const [four, six] = [await client('127.0.0.1'), await client('::1')];
    six.send(bytes('six'), { host: '::1', port });
    four.send(bytes('four'), { host: '127.0.0.1', port });
    await until('both answers', () => four.heard.length === 1 && six.heard.length === 1);
    expect(beside.addresses).toEqual(['127.0.0.1']);
    expect(addresses).toEqual(['0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1']);
  });

  it('tells IPv4 from IPv6 on an inherited socket of both versions', async () => {
    const fd = libc.socket(linux.inet6, linux.datagram | linux.nonBlock | linux.closeOnExec, 0);
    libc.bind(fd, Uint8Array.from([linux.inet6, ...Array(27).fill(0)]));
    const name = new Uint8Array(28);
    libc.getsockname(fd, name, Uint8Array.of(28, 0, 0, 0));
    const port = ((name[2] ?? 0) << 8) | (name[3] ?? 0);
    const socket = { fd, endpoint: { host: '::', port } };
    const { addresses } = await serve(libc, socket);
    const asking = await client();
    for (const word of ['now', 'later', 'now']) asking.send(bytes(word), { host: '127.0.0.1', port });
    await until('all answers', () => asking.heard.length === 3);
    expect(addresses).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
  });

  it('leaves its socket to the next one when it is released, with the packets in it', async () => {
    const { listener, port } = await serve(libc, open('127.0.0.1'));
    listener.kept?.release();
    const asking = await client();
    asking.send(bytes('early'), { host: '127.0.0.1', port });
    expect(() => open('127.0.0.1', port)).toThrow('EADDRINUSE');
    await serve(libc, { fd: listener.kept?.fd ?? -1, endpoint: listener.endpoint });
    await until('the answer', () => asking.heard.length === 1);
  });

  it('sends the rest when the kernel takes a part, and counts what cannot be sent', async () => {
    const [wouldBlock, invalid] = [linux.wouldBlock, 22];
    let calls = 0;
    let errno = 0;
    const failing: Libc = {
      ...libc,
      errno: () => errno,
      sendmmsg(fd, messages, count, flags) {
        calls += 1;
        errno = calls === 2 ? invalid : calls === 4 ? linux.interrupted : wouldBlock;
        return [2, 4, 6].includes(calls) ? -1 : libc.sendmmsg(fd, messages, Math.min(2, count), flags);
      },
    };
    const socket = open('127.0.0.1');
    const asking = await client();
    // The first one is what wakes us; Node answers it.
    for (let n = 0; n <= 10; n += 1) asking.send(bytes(String(n)), socket.endpoint);
    const { listener, addresses } = await serve(failing, socket);
    await until('all questions', () => addresses.length === 11);
    // Two, one that is invalid, two, an interruption, two, no more room.
    await until('the answers', () => asking.heard.length === 7);
    expect(asking.heard.map((one) => text(one.bytes))).toEqual(['0', '1', '2', '4', '5', '6', '7']);
    expect(listener.unsent()).toBe(4);
  });

  it('answers more packets than a batch or the budget of one turn holds', async () => {
    const socket = open('127.0.0.1');
    const asking = await client();
    const count = 20 * batchSize;
    for (let n = 0; n < count; n += 1) asking.send(bytes(String(n)), socket.endpoint);
    await serve(libc, socket);
    await until('all answers', () => asking.heard.length === count);
    expect(new Set(asking.heard.map((one) => text(one.bytes))).size).toBe(count);
  });
});

describe.each(bindings)('the layout of messages for $name', () => {
  it('is that of the structures of C on this machine', async () => {
    const { default: koffi } = await import('koffi');
    const { offsetof, sizeof } = koffi;
    const vector = koffi.struct({ base: 'void *', length: 'size_t' });
    const message = koffi.struct({
      name: 'void *',
      nameLength: 'uint32_t',
      vectors: 'void *',
      vectorCount: 'size_t',
      control: 'void *',
      controlLength: 'size_t',
      flags: 'int',
    });
    const messages = koffi.struct({ message, length: 'unsigned int' });

    const { bytes: size, length, ...fields } = messageLayout;
    expect([sizeof(messages), offsetof(messages, 'length')]).toEqual([size, length]);
    for (const [field, at] of Object.entries(fields)) expect(offsetof(message, field), field).toBe(at);
    expect([sizeof(vector), offsetof(vector, 'base'), offsetof(vector, 'length')]).toEqual([
      vectorLayout.bytes,
      vectorLayout.base,
      vectorLayout.length,
    ]);
  });
});
