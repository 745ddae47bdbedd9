import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressBytes } from '../../../../src/deliver/dns/network.ts';
import { batchSize } from '../../../../src/deliver/dns/transport/batch-memory.ts';
import type { Libc } from '../../../../src/deliver/dns/transport/libc.ts';
import { linux, openUdpSocket, writeSocketAddress } from '../../../../src/deliver/dns/transport/linux-socket.ts';
import { createOutbox, type Sender } from '../../../../src/deliver/dns/transport/outbox.ts';
import { type UdpClient, udpClient } from '../../../fixtures/udp.ts';
import { until } from '../../../fixtures/until.ts';
import { ways } from './asking.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const clean: (() => void)[] = [];
let one: UdpClient;
let other: UdpClient;

beforeEach(async () => {
  [one, other] = [await udpClient('127.0.0.1'), await udpClient('127.0.0.1')];
  clean.push(one.close, other.close);
});
afterEach(() => {
  for (const close of clean.splice(0)) close();
});

const heard = (client: UdpClient) => client.heard.map((packet) => Buffer.from(packet.bytes).toString());
const to = ({ port }: UdpClient) => {
  const name = writeSocketAddress({ host: '127.0.0.1', port }, addressBytes);
  return { name, nameLength: name.length };
};

describe.each(ways.filter(({ libc }) => libc !== undefined))('packets that leave together by $name', ({ libc }) => {
  const real = libc as Libc;

  function open(connectedTo?: UdpClient): Sender & { isOpen: boolean; readonly unsent: [number, number][] } {
    const { fd } = openUdpSocket(real, { host: '127.0.0.1', port: 0 }, addressBytes);
    if (connectedTo !== undefined) real.connect(fd, to(connectedTo).name);
    clean.push(() => void real.close(fd));
    const unsent: [number, number][] = [];
    return { fd, isOpen: true, unsent, onUnsent: (errno, count) => unsent.push([errno, count]) };
  }

  it('go by their own sockets to their own receivers, whole and in order, connected or not', async () => {
    const outbox = createOutbox(real);
    const senders = [open(one), open(other), open()];
    const wanted: [string[], string[]] = [[], []];
    const count = 3 * batchSize + 7;
    for (let n = 0; n < count; n += 1) {
      const text = `${n}:${'x'.repeat((n * 37) % 1200)}`;
      const goesToOne = n % 3 === 0 || n % 6 === 2;
      wanted[goesToOne ? 0 : 1].push(text);
      const sender = senders[n % 3] as Sender;
      const packet = bytes(text);
      if (n % 3 === 2) outbox.put(sender, packet, to(goesToOne ? one : other));
      else outbox.put(sender, packet);
      // It has a copy.
      packet.fill(0);
    }
    await until('all packets', () => one.heard.length + other.heard.length === count);
    expect([heard(one).toSorted(), heard(other).toSorted()]).toEqual(wanted.map((texts) => texts.toSorted()));
  });

  it('take one call for each socket, at the end of the callback', async () => {
    const calls: number[] = [];
    const counting: Libc = {
      ...real,
      sendmmsg(fd, messages, count, flags) {
        calls.push(count);
        return real.sendmmsg(fd, messages, count, flags);
      },
    };
    const outbox = createOutbox(counting);
    const senders = [open(one), open(other)];
    for (let n = 0; n < 20; n += 1) outbox.put(senders[n % 2] as Sender, bytes(String(n)));
    expect(calls).toEqual([]);
    await until('all packets', () => one.heard.length + other.heard.length === 20);
    expect(calls).toEqual([10, 10]);
    outbox.put(senders[0] as Sender, bytes('alone'));
    await until('one more', () => one.heard.length === 11);
    expect(calls).toEqual([10, 10, 1]);
  });

  it('are dropped when their socket is closed first, and told when they cannot be sent', async () => {
    const faults = [0, linux.interrupted, 105, 0, linux.wouldBlock];
    let fault = 0;
    const failing: Libc = {
      ...real,
      errno: () => fault,
      sendmmsg(fd, messages, count, flags) {
        fault = faults.shift() ?? 0;
        return fault === 0 ? real.sendmmsg(fd, messages, Math.min(count, 2), flags) : -1;
      },
    };
    const outbox = createOutbox(failing);
    const [closed, usable] = [open(other), open(one)];
    for (let n = 0; n < 8; n += 1) {
      outbox.put(closed, bytes('never'));
      outbox.put(usable, bytes(String(n)));
    }
    closed.isOpen = false;
    // Two, an interruption, one that cannot, two, and no more room for three.
    await until('what can be sent', () => usable.unsent.length === 2 && one.heard.length === 4);
    expect(heard(one)).toEqual(['0', '1', '3', '4']);
    expect(usable.unsent).toEqual([
      [105, 1],
      [linux.wouldBlock, 3],
    ]);
    expect([closed.unsent, other.heard]).toEqual([[], []]);
  });
});
