import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/deliver/dns/config.ts';
import { type Asker, askLater, type Responder } from '../../../../src/deliver/dns/responder.ts';
import { hasCode } from '../../../../src/model/error.ts';
import { type OpenUdp, type UdpClient, udpClient, udpTransports } from '../../../fixtures/udp.ts';
import { until } from '../../../fixtures/until.ts';

const loopback = { host: '127.0.0.1', port: 0 };
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => new TextDecoder().decode(content);

/** Echoes; what begins with `silent` gets nothing, what begins with `later` its answer when it is let go. */
function createEcho() {
  const askers: (Asker & { readonly text: string })[] = [];
  const waiting: (() => void)[] = [];
  const responder: Responder = {
    now(query, start, length, { transport, address }, reply) {
      const content = query.slice(start, start + length);
      askers.push({ transport, address: Uint8Array.from(address), text: text(content) });
      if (text(content).startsWith('silent')) return 0;
      if (text(content).startsWith('later')) return askLater;
      reply.set(content.subarray(0, 1232));
      return Math.min(length, 1232);
    },
    later(query, asker, send) {
      askers.push({ ...asker, text: text(query) });
      waiting.push(() => send(query));
    },
  };
  return { responder, askers, waiting };
}

const transports = await udpTransports();
const clean: (() => void)[] = [];
afterEach(() => {
  for (const close of clean.splice(0)) close();
});

async function client(host = '127.0.0.1'): Promise<UdpClient> {
  const made = await udpClient(host);
  clean.push(made.close);
  return made;
}

async function start(open: OpenUdp, endpoint: Endpoint = loopback) {
  const echo = createEcho();
  const listener = await open(endpoint, echo.responder);
  clean.push(listener.close);
  return { ...echo, listener, to: listener.endpoint };
}

const words = (from: UdpClient) => from.heard.map((one) => text(one.bytes)).sort();

describe.each(Object.entries(transports))('UDP by %s', (_name, open) => {
  it('answers each packet with its own reply, whatever their lengths', async () => {
    const { to } = await start(open);
    const asking = await client();
    const asked = Array.from({ length: 300 }, (_, n) => `${n}:${'x'.repeat((n * 37) % 1200)}`);
    for (const one of asked) asking.send(bytes(one), to);
    await until('all answers', () => asking.heard.length >= asked.length);
    expect(words(asking)).toEqual(asked.sort());
  });

  it('answers every client at its own address, over IPv4 and IPv6', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const { to, askers } = await start(open, { host, port: 0 });
      const clients = await Promise.all([1, 2, 3].map(() => client(host)));
      for (const [n, one] of clients.entries()) one.send(bytes(`from ${n}`), to);
      await until('all answers', () => clients.every(({ heard }) => heard.length === 1));
      expect(clients.map(words)).toEqual([['from 0'], ['from 1'], ['from 2']]);
      const address = host === '::1' ? [...Array(15).fill(0), 1] : [127, 0, 0, 1];
      expect(askers.map((asker) => [...asker.address])).toEqual([address, address, address]);
    }
  });

  it('says nothing where nothing is to be said, and still answers the others', async () => {
    const { to, askers } = await start(open);
    const asking = await client();
    for (let n = 0; n < 200; n += 1) asking.send(bytes(n % 3 === 0 ? `${n}` : `silent ${n}`), to);
    await until('all questions', () => askers.length === 200);
    asking.send(bytes('last'), to);
    await until('the last answer', () => words(asking).includes('last'));
    expect(asking.heard).toHaveLength(68);
  });

  it('sends answers that were not ready at once when they are, each to whoever asked', async () => {
    const { to, waiting, askers } = await start(open);
    const [first, second] = [await client(), await client()];
    first.send(bytes('later first'), to);
    second.send(bytes('later second'), to);
    first.send(bytes('now'), to);
    await until('both to wait', () => waiting.length === 2 && first.heard.length === 1);
    for (const send of waiting.reverse()) send();
    await until('the answers', () => first.heard.length === 2 && second.heard.length === 1);
    expect(words(first)).toEqual(['later first', 'now']);
    expect(words(second)).toEqual(['later second']);
    expect(askers.every(({ transport, address }) => transport === 'udp' && address.join() === '127,0,0,1')).toBe(true);
  });

  it('goes on when a client is gone before its answer, and drops answers to nobody after it was closed', async () => {
    const { to, waiting, listener } = await start(open);
    const gone = await client();
    gone.send(bytes('later'), to);
    await until('it to wait', () => waiting.length === 1);
    gone.close();
    clean.splice(clean.indexOf(gone.close), 1);
    for (let n = 0; n < 5; n += 1) waiting[0]?.();
    const asking = await client();
    asking.send(bytes('still there'), to);
    await until('an answer', () => asking.heard.length === 1);
    listener.close();
    expect(() => waiting[0]?.()).not.toThrow();
  });

  it('takes packets of every length, an empty one and the largest too', async () => {
    const { to, askers } = await start(open);
    const asking = await client();
    for (const length of [0, 1, 11, 512, 4096, 4097, 65_507]) asking.send(new Uint8Array(length).fill(97), to);
    await until('all answers', () => askers.length === 7);
    const lengths = askers.map((asker) => asker.text.length);
    expect(lengths.slice(0, 5)).toEqual([0, 1, 11, 512, 4096]);
    expect(lengths.slice(5).every((length) => length >= 4096)).toBe(true);
  });

  it('closes at once, so that the address can be taken again', async () => {
    const { to, listener } = await start(open);
    listener.close();
    const again = await start(open, to);
    const asking = await client();
    asking.send(bytes('again'), again.to);
    await until('an answer', () => asking.heard.length === 1);
  });

  it('says which address cannot be had, and what to do', async () => {
    const { to } = await start(open);
    const failure = await start(open, to).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(hasCode(failure, 'config')).toBe(true);
    expect(String(failure)).toContain(`udp "127.0.0.1:${to.port}": EADDRINUSE, another program has this address`);
    await expect(start(open, { host: '192.0.2.1', port: 0 })).rejects.toThrow('this machine has no such address');
  });
});
