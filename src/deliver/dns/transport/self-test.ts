import { createSocket, type Socket } from 'node:dgram';
import { describeError, HsdoError } from '../../../model/error.ts';
import { withDeadline } from '../../../time/deadline.ts';
import { addressBytes } from '../network.ts';
import { maxUdpReplyBytes, type Responder } from '../responder.ts';
import type { Libc } from './libc.ts';
import { openUdpSocket } from './linux-socket.ts';
import { loadLibc } from './load-libc.ts';
import { createBatch } from './udp-batch.ts';

/** How UDP is spoken, and why not by the quick way where that was tried. */
export type Transport =
  | { readonly kind: 'batch'; readonly libc: Libc }
  | { readonly kind: 'dgram'; readonly reason?: string };

const packets = 100;
const timeoutMs = 5000;

/** Contents of every length that matters; no two are equal. */
function contentOf(number: number): Uint8Array {
  const length = number === 0 ? maxUdpReplyBytes : 4 + ((number * 37) % 509);
  const bytes = Uint8Array.from({ length }, (_, at) => (at * 31 + number * 7) & 0xff);
  bytes[0] = number;
  return bytes;
}

/** Sends the question back: what is wrong with a pointer or a length anywhere on the way shows. */
const echo: Responder = {
  now(query, start, length, _asker, reply) {
    reply.set(query.subarray(start, start + length));
    return length;
  },
  later() {},
};

/** Asks all at once, and waits until each answer was there, from where it was asked. */
function ask(client: Socket, host: string, port: number): Promise<void> {
  const expected = new Map(Array.from({ length: packets }, (_, number) => [number, contentOf(number)]));
  return new Promise((resolve, reject) => {
    client.on('error', reject);
    client.on('message', (reply, from) => {
      const content = expected.get(reply[0] ?? -1);
      if (content === undefined || !reply.equals(content)) reject(new Error('an echo came back changed'));
      else if (from.address !== host || from.port !== port) reject(new Error(`an echo came from ${from.address}`));
      else if (expected.delete(reply[0] as number) && expected.size === 0) resolve();
    });
    for (const content of expected.values()) client.send(content, port, host);
  });
}

/**
 * Lets a batch echo over loopback, on a socket of its own. So layouts, pointers, lengths and addresses are known to be
 * right before a client depends on them.
 *
 * @throws Error saying what was wrong.
 */
export async function tryBatch(libc: Libc, signal: AbortSignal): Promise<void> {
  const socket = openUdpSocket(libc, { host: '127.0.0.1', port: 0 }, addressBytes);
  const listener = await createBatch(libc, echo).open(socket);
  const client = createSocket('udp4');
  try {
    const { port } = listener.endpoint;
    await withDeadline('the test of packets over loopback', timeoutMs, signal, () => ask(client, '127.0.0.1', port));
  } finally {
    client.close();
    listener.close();
  }
}

/**
 * Decides how UDP is spoken: `dgram` and `batch` as told, `auto` the quicker one that works.
 *
 * @throws HsdoError `config` when `batch` is wanted and cannot be had, with the reason.
 */
export async function chooseTransport(
  wanted: 'auto' | 'batch' | 'dgram',
  signal: AbortSignal,
  bindings?: Parameters<typeof loadLibc>[0],
): Promise<Transport> {
  if (wanted === 'dgram') return { kind: 'dgram' };
  const reason = await (async () => {
    const libc = await loadLibc(bindings);
    if (typeof libc === 'string') return libc;
    try {
      await tryBatch(libc, signal);
      return libc;
    } catch (error) {
      signal.throwIfAborted();
      return describeError(error);
    }
  })();
  if (typeof reason !== 'string') return { kind: 'batch', libc: reason };
  if (wanted === 'auto') return { kind: 'dgram', reason };
  throw new HsdoError('config', `Cannot speak DNS by dns.transport "batch": ${reason}; set "auto" or "dgram"`);
}
