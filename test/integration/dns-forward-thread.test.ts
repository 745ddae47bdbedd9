import { readdirSync, readlinkSync } from 'node:fs';
import { encode } from 'dns-packet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/deliver/dns/config.ts';
import { type Answering, startAnswering } from '../fixtures/dns-thread.ts';
import { type NameServer, openNameServer } from '../fixtures/name-server.ts';
import { type UdpClient, udpClient } from '../fixtures/udp.ts';
import { until } from '../fixtures/until.ts';

const transports = process.platform === 'linux' ? (['batch', 'dgram'] as const) : (['dgram'] as const);

let server: NameServer;
let client: UdpClient;
let answering: Answering | undefined;

beforeEach(async () => {
  server = await openNameServer();
  client = await udpClient('127.0.0.1');
});
afterEach(async () => {
  await answering?.stop();
  answering = undefined;
  client.close();
  await server.close();
});

const question = (id: number) =>
  encode({ type: 'query', id, flags: 0x100, questions: [{ type: 'A', name: `name-${id}.example` }] });

async function start(transport: 'batch' | 'dgram'): Promise<{ all: Answering; to: Endpoint }> {
  const forward = { to: [server.name], cache: { maxBytes: 0 } };
  answering = await startAnswering({ transport, listen: ['127.0.0.1:0'], forward });
  return { all: answering, to: answering.dns.endpoints()[0] as Endpoint };
}

/** Links such as `socket:[4711]`, each once: a socket may have several numbers. */
function openSockets(): ReadonlySet<string> {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return new Set(links.filter((link) => link.startsWith('socket:')));
}

describe.each(transports)('the thread that forwards by %s', (transport) => {
  it('answers a burst of questions, each with its own answer, and over again', async () => {
    const { to } = await start(transport);
    for (let turn = 0; turn < 3; turn += 1) {
      client.heard.splice(0);
      for (let id = 0; id < 500; id += 1) client.send(question(id), to);
      await until('all answers', () => client.heard.length === 500);
      const ids = client.heard.map(({ bytes }) => Buffer.from(bytes).readUInt16BE(0));
      expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, id) => id));
      for (const { bytes } of client.heard) {
        const id = Buffer.from(bytes).readUInt16BE(0);
        expect(Buffer.from(bytes).toString('latin1')).toContain(`name-${id}\x07example`);
      }
    }
  });

  it('takes its ports with it when it is ended from outside, amid questions, and the next one forwards', async () => {
    const { all, to } = await start(transport);
    const isLinux = process.platform === 'linux';
    const before = isLinux ? openSockets() : new Set<string>();
    server.act = () => {};
    for (let id = 0; id < 300; id += 1) client.send(question(id), to);
    await until('all questions', () => server.asked.length === 300);
    if (isLinux) expect(openSockets().size).toBeGreaterThan(before.size + 10);
    await all.threads.at(-1)?.terminate();
    await until('the next thread', () => all.threads.length === 2);
    if (isLinux) await until('no port is left', () => openSockets().size <= before.size);
    await all.threads.at(-1)?.listening;
    server.act = (asked) =>
      asked.send(Buffer.concat([asked.bytes.subarray(0, 2), Buffer.from([0x81, 0x83]), asked.bytes.subarray(4)]));
    await until('an answer', () => {
      client.send(question(1), to);
      return client.heard.length > 0;
    });
  });
});
