import { decode, encode } from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/deliver/dns/config.ts';
import { hasCode } from '../../src/model/error.ts';
import { type Asking, askDns, dataOf } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Answering, serviceBytes, startAnswering } from '../fixtures/dns-thread.ts';
import { freePort } from '../fixtures/ports.ts';
import { udpClient } from '../fixtures/udp.ts';
import { until } from '../fixtures/until.ts';

const web = 'web.hsdo.test';
const transports = process.platform === 'linux' ? (['batch', 'dgram'] as const) : (['dgram'] as const);

const open: Answering[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function start(...parameters: Parameters<typeof startAnswering>): Promise<Answering> {
  const answering = await startAnswering(...parameters);
  open.push(answering);
  return answering;
}

/** Where nobody else comes by chance while nobody listens: outgoing connections get other ports. */
async function placesToReturnTo(): Promise<string[]> {
  const port = await freePort();
  return [`127.0.0.1:${port}`, `[::1]:${port}`];
}

/** A question for the A records of a name, with an id by which its answer is known. */
const question = (id: number, name: string) =>
  encode({ type: 'query', id, flags: 0x100, questions: [{ type: 'A', name }] });

const addressesIn = (reply: Uint8Array) =>
  (decode(Buffer.from(reply)).answers ?? []).map((answer) => (answer.type === 'A' ? answer.data : answer.type));

const firstOf = ({ dns }: Answering): Endpoint => dns.endpoints()[0] as Endpoint;

describeWith(['dig', 'kdig', 'drill'], 'the programs that ask name servers', () => {
  describe.each(transports)('by %s', (transport) => {
    it('get the same over UDP and TCP, IPv4 and IPv6, and are counted', async () => {
      const answering = await start({ transport }, [serviceBytes('web', ['10.0.0.1', '10.0.0.2'])]);
      expect(answering.dns.state()).toEqual({ transport });
      for (const place of answering.dns.endpoints()) {
        for (const program of ['dig', 'kdig', 'drill'] as const satisfies readonly Asking[]) {
          const tcp = program === 'drill' ? '-t' : '+tcp';
          for (const more of [[], [tcp]]) {
            const { code, answer } = await askDns(program, place, web, 'A', more);
            expect([code, ...answer]).toEqual(['NOERROR', `${web}. 5 A 10.0.0.1`, `${web}. 5 A 10.0.0.2`]);
          }
        }
      }
      const total = (key: string) => answering.counts.reduce((sum, { queries }) => sum + (queries[key] ?? 0), 0);
      await until('the counts', () => total('A NOERROR udp') === 6 && total('A NOERROR tcp') === 6);
      const addresses = answering.dns
        .endpoints()
        .map(({ host, port }) => (host === '::1' ? `[::1]:${port}` : `${host}:${port}`));
      expect(answering.dns.addresses()).toEqual([
        ...addresses.map((address) => `udp ${address}`),
        ...addresses.map((address) => `tcp ${address}`),
      ]);
    });
  });
});

describeWith(['dig'], 'the thread that answers', () => {
  describe.each(transports)('by %s', (transport) => {
    it('loses no query while chapters are swapped, and gives each answer whole', async () => {
      const before = Array.from({ length: 200 }, (_, n) => serviceBytes(`other-${n}`, ['10.9.9.9']));
      const sets = Array.from({ length: 50 }, (_, n) => [`10.1.${n}.1`, `10.1.${n}.2`]);
      const answering = await start({ transport }, [...before, serviceBytes('web', sets[0] ?? [])]);
      const asking = await udpClient('127.0.0.1');
      const to = firstOf(answering);
      const queries = 1000;
      for (let id = 0; id < queries; id += 1) {
        if (id % 20 === 0) answering.dns.publish([...before, serviceBytes('web', sets[id / 20] ?? [])]);
        asking.send(question(id, web), to);
        if (id % 50 === 0) await until('the answers', () => asking.heard.length > id - 50);
      }
      await until('all answers', () => asking.heard.length === queries);
      asking.close();
      const known = new Set(sets.map((set) => set.join()));
      for (const { bytes } of asking.heard) expect(known).toContain(addressesIn(bytes).join());
      expect(new Set(asking.heard.map(({ bytes }) => decode(Buffer.from(bytes)).id)).size).toBe(queries);
      await until('the last set', async () => (await dataOf(to, web, 'A')).join() === sets.at(-1)?.join());
    });

    it('comes back with all names and on the same ports after it died', async () => {
      const listen = await placesToReturnTo();
      const answering = await start({ transport, listen }, [serviceBytes('web', ['10.0.0.1'])]);
      const places = answering.dns.endpoints();
      answering.dns.publish([serviceBytes('web', ['10.0.0.2']), serviceBytes('late', ['10.0.0.3'])]);
      await until('the new list', async () => (await dataOf(firstOf(answering), web, 'A')).join() === '10.0.0.2');
      await answering.threads[0]?.terminate();
      await until('somebody to notice', () => answering.dns.failure());
      answering.dns.publish([serviceBytes('later', ['10.0.0.4'])]);
      await until('another thread', () => answering.threads.length === 2 && answering.dns.failure() === undefined);
      expect(answering.dns.endpoints()).toEqual(places);
      const wanted = { web: '10.0.0.2', late: '10.0.0.3', later: '10.0.0.4' };
      for (const place of places) {
        for (const [service, address] of Object.entries(wanted)) {
          expect(await dataOf(place, `${service}.hsdo.test`, 'A', ['+tcp'])).toEqual([address]);
          expect(await dataOf(place, `${service}.hsdo.test`, 'A')).toEqual([address]);
        }
      }
      const errors = answering.log.lines.filter(({ level }) => level === 'error');
      expect(
        errors.map(({ message }) => message),
        JSON.stringify(errors),
      ).toEqual(['the thread that answers DNS died']);
    });

    it('ends at once when it is told, with the address free and nothing left', async () => {
      const listen = await placesToReturnTo();
      const answering = await startAnswering({ transport, listen });
      await answering.stop();
      expect(await answering.threads[0]?.ended).toBe('exit code 0');
      await start({ transport, listen });
    });

    it('says which address is taken, by whom and what to do, and leaves nothing behind', async () => {
      const first = await start({ transport });
      const taken = firstOf(first);
      const free = `127.0.0.1:${await freePort()}`;
      const failure = await start({ transport, listen: [free, `127.0.0.1:${taken.port}`] }).catch(
        (error: unknown) => error,
      );
      expect(hasCode(failure, 'config')).toBe(true);
      expect(String(failure)).toContain(`udp "127.0.0.1:${taken.port}": EADDRINUSE, another program has this address`);
      await start({ transport, listen: [free] });
    });
  });
});

describe.each(transports.filter((transport) => transport === 'batch'))('the socket of a thread by %s', (transport) => {
  it('holds the queries that come while there is no thread, for the next one', async () => {
    const answering = await start({ transport }, [serviceBytes('web', ['10.0.0.1'])]);
    const asking = await udpClient('127.0.0.1');
    await answering.threads[0]?.terminate();
    for (let id = 0; id < 20; id += 1) asking.send(question(id, web), firstOf(answering));
    await until('all answers', () => asking.heard.length === 20);
    expect(answering.threads).toHaveLength(2);
    asking.close();
  });
});
