import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/deliver/dns/config.ts';
import { createBatchPorts } from '../../../../src/deliver/dns/forward/port-batch.ts';
import { openDgramPort } from '../../../../src/deliver/dns/forward/port-dgram.ts';
import type { OpenPort, PortSocket } from '../../../../src/deliver/dns/forward/port-socket.ts';
import { batchSize } from '../../../../src/deliver/dns/transport/batch-memory.ts';
import type { Libc } from '../../../../src/deliver/dns/transport/libc.ts';
import { linux } from '../../../../src/deliver/dns/transport/linux-socket.ts';
import { type UdpClient, udpClient } from '../../../fixtures/udp.ts';
import { until } from '../../../fixtures/until.ts';
import { queryFor, startUpstream, ways } from './asking.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => Buffer.from(content).toString();
const openSockets = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      // The folder that is being read is among them.
      return false;
    }
  }).length;

/** Somebody to send to. */
let there: UdpClient;
let to: Endpoint;
const ports: PortSocket[] = [];

beforeEach(async () => {
  there = await udpClient('127.0.0.1');
  to = { host: '127.0.0.1', port: there.port };
});
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
  there.close();
});

function openPort(open: OpenPort, where: Endpoint = to) {
  const [heard, errors]: [string[], string[]] = [[], []];
  const port = open(where, {
    onPacket: (packet) => heard.push(text(packet)),
    onWoken: () => port.drain(),
    onError: (code) => errors.push(code),
  });
  ports.push(port);
  return { port, heard, errors };
}

/** Says something to whoever sent a packet. */
function answer(content: string, turn = 0): void {
  const from = there.heard[turn]?.from;
  there.send(bytes(content), { host: '127.0.0.1', port: from?.port ?? 0 });
}

describe.each(ways)('a port by $name', ({ libc }) => {
  const open = libc === undefined ? openDgramPort : createBatchPorts(libc);

  it('sends what it is given and tells what comes, each packet whole, however many come at once', async () => {
    const { port, heard } = openPort(open);
    port.send(bytes('a question'));
    await until('the question', () => there.heard.length === 1);
    expect(text(there.heard[0]?.bytes ?? new Uint8Array())).toBe('a question');
    const answers = Array.from({ length: 3 * batchSize }, (_, n) => `${n}:${'x'.repeat((n * 37) % 1200)}`);
    for (const one of answers) answer(one);
    await until('all answers', () => heard.length === answers.length);
    expect(heard.toSorted()).toEqual(answers.toSorted());
  });

  it('leaves the packet to its owner', async () => {
    const { port } = openPort(open);
    const packet = bytes('as it was');
    for (let turn = 0; turn < 10; turn += 1) port.send(packet);
    await until('all packets', () => there.heard.length === 10);
    expect(there.heard.every((one) => text(one.bytes) === 'as it was')).toBe(true);
  });

  it('hears nobody but whom it sends to', async () => {
    const { port, heard } = openPort(open);
    port.send(bytes('hello'));
    await until('the question', () => there.heard.length === 1);
    const stranger = await udpClient('127.0.0.1');
    stranger.send(bytes('strange'), { host: '127.0.0.1', port: there.heard[0]?.from.port ?? 0 });
    answer('known');
    await until('the answer', () => heard.length > 0);
    stranger.close();
    expect(heard).toEqual(['known']);
  });

  it('tells later, and never at once, that nobody is there or that there is no way', async () => {
    const gone = await udpClient('127.0.0.1');
    gone.close();
    const deaf = openPort(open, { host: '127.0.0.1', port: gone.port });
    deaf.port.send(bytes('hello'));
    deaf.port.send(bytes('hello'));
    expect(deaf.errors).toEqual([]);
    await until('an error', () => deaf.errors.includes('ECONNREFUSED'));
    const wayless = openPort(open, { host: '255.255.255.255', port: 53 });
    wayless.port.send(bytes('hello'));
    expect(wayless.errors).toEqual([]);
    await until('another error', () => wayless.errors.length > 0);
    expect(wayless.heard).toEqual([]);
  });

  it('tells nothing after its end, whatever comes or was under way', async () => {
    const { port, heard, errors } = openPort(open);
    const other = openPort(open);
    for (const one of [port, other.port]) one.send(bytes('hello'));
    await until('the questions', () => there.heard.length === 2);
    port.close();
    ports.shift();
    port.drain();
    port.send(bytes('more'));
    for (const turn of [0, 1]) answer('late', turn);
    await until('the answer of the other', () => other.heard.length === 1);
    expect([heard, errors, there.heard.length]).toEqual([[], [], 2]);
  });
});

describe.each(ways.filter(({ libc }) => libc !== undefined))('ports by $name', ({ libc }) => {
  const real = libc as Libc;

  it('are given back to the system, also those that are replaced or never came to be', async () => {
    const before = openSockets();
    const asking = startUpstream(to, real);
    const ask = () => void asking.ask(queryFor('www.example'));
    for (let turn = 0; turn < 100; turn += 1) ask();
    await until('all questions', () => there.heard.length === 100);
    expect(openSockets()).toBeGreaterThan(before + 10);
    // Those that wait keep their ports for a second; then all are left.
    for (let turn = 0; turn < 5; turn += 1) {
      await asking.clock.advance(10_000);
      for (let n = 0; n < 100; n += 1) ask();
      expect(openSockets()).toBeLessThanOrEqual(before + 2 * 16);
    }
    asking.upstream.close();
    await until('the end of all', () => openSockets() === before);
    const wayless = openPort(createBatchPorts(real), { host: '255.255.255.255', port: 53 });
    await until('the error', () => wayless.errors.length === 1);
    expect(openSockets()).toBe(before);
  });

  it('tell that no more can be opened or sent, and send again what was interrupted', async () => {
    const tooMany = 24;
    const without = openPort(createBatchPorts({ ...real, socket: () => -1, errno: () => tooMany }));
    without.port.send(bytes('hello'));
    without.port.drain();
    await until('the error', () => without.errors.length === 1);
    expect(without.errors).toEqual(['EMFILE']);

    const faults: number[] = [linux.interrupted, 105];
    let fault = 0;
    const failing: Libc = {
      ...real,
      errno: () => fault,
      sendmmsg(fd, messages, count, flags) {
        fault = faults.shift() ?? 0;
        return fault === 0 ? real.sendmmsg(fd, messages, count, flags) : -1;
      },
    };
    const { port, errors } = openPort(createBatchPorts(failing));
    port.send(bytes('full'));
    await until('the error', () => errors.length === 1);
    expect(errors).toEqual(['ENOBUFS']);
    faults.push(linux.interrupted);
    port.send(bytes('again'));
    await until('the packet', () => there.heard.length === 1);
    expect([text(there.heard[0]?.bytes ?? new Uint8Array()), errors.length]).toEqual(['again', 1]);
  });
});
