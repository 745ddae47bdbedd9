import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Asked,
  address,
  framed,
  type NameServer,
  openNameServer,
  replyTo,
} from '../../../fixtures/name-server.ts';
import { until } from '../../../fixtures/until.ts';
import { queryFor, startUpstream, type UpstreamAsking, ways } from './asking.ts';

const many = Array.from({ length: 200 }, (_, index) => address('big.example', 60, `192.0.2.${index}`));
const whole = (one: Asked) => replyTo(one, { answers: many });

describe.each(ways)('a server by $name', ({ libc }) => {
  let server: NameServer;
  let asking: UpstreamAsking;

  beforeEach(async () => {
    server = await openNameServer();
    asking = startUpstream(server.endpoint, libc);
  });
  afterEach(async () => {
    asking.upstream.close();
    await server.close();
  });

  const ask = () => asking.ask(queryFor('big.example'));

  /** Truncates over UDP and does something over TCP. */
  function overTcp(act: (asked: Asked) => void): void {
    server.act = (one) =>
      one.transport === 'udp' ? one.send(replyTo(one, { isTruncated: true, answers: many.slice(0, 3) })) : act(one);
  }

  describe('a truncated reply', () => {
    it('is fetched over TCP from the same server, as the client spelled it', async () => {
      overTcp((one) => one.send(whole(one)));
      expect(await ask()).toMatchObject({ code: 0, answers: 200 });
      expect(server.asked.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
      expect(server.asked[1]?.name).toBe('big.example');
      expect(asking.outcomes).toEqual(['answer', 'answer']);
    });

    it('may come in pieces, with something behind it, and be cut in the middle of a record over UDP', async () => {
      server.act = (one) => {
        if (one.transport === 'udp')
          return one.send(replyTo(one, { isTruncated: true, answers: many }).subarray(0, 500));
        const bytes = Buffer.concat([framed(whole(one)), Buffer.from('more')]);
        const write = (at: number): void => {
          if (at >= bytes.length) return;
          one.connection?.write(bytes.subarray(at, at + 1000), () => setImmediate(write, at + 1000));
        };
        one.connection?.write(bytes.subarray(0, 1), () => setImmediate(write, 1));
        return undefined;
      };
      expect(await ask()).toMatchObject({ code: 0, answers: 200 });
    });

    const faults: Readonly<Record<string, readonly [string, (asked: Asked) => void]>> = {
      'a connection that ends at once': ['error', (one) => one.connection?.destroy()],
      'half a length': ['error', (one) => one.connection?.end(Buffer.from([1]))],
      'half a message': ['error', (one) => one.connection?.end(framed(whole(one)).subarray(0, 100))],
      'a message of no bytes': ['mismatch', (one) => one.send(Buffer.alloc(0))],
      'another question': ['mismatch', (one) => one.send(replyTo(one, { name: 'evil.example' }))],
      'broken records': ['error', (one) => one.send(whole(one).subarray(0, -3))],
      'truncation over TCP': ['error', (one) => one.send(replyTo(one, { isTruncated: true }))],
    };

    it.each(Object.keys(faults))('is none when TCP gives %s', async (kind) => {
      const [outcome, act] = faults[kind] ?? [];
      overTcp((one) => act?.(one));
      expect(await ask()).toBeUndefined();
      expect(asking.outcomes).toEqual(['answer', outcome]);
    });

    it('is none when TCP is silent, and the connection is closed', async () => {
      let isClosed = false;
      overTcp(({ connection }) => {
        connection?.once('close', () => {
          isClosed = true;
        });
      });
      const reply = ask();
      await until('the question over TCP', () => server.asked.length === 2);
      await asking.clock.advance(1100);
      expect(await reply).toBeUndefined();
      expect(asking.outcomes).toEqual(['answer', 'timeout']);
      await until('the connection to be closed', () => isClosed);
    });

    it('is fetched over a bounded number of connections, beyond which the server is not blamed', async () => {
      overTcp(() => {});
      let undecided = 130;
      for (let turn = 0; turn < 130; turn += 1) void ask().then(() => (undecided -= 1));
      await until('all connections', () => server.asked.filter(({ transport }) => transport === 'tcp').length === 100);
      await until('what was too much', () => undecided === 100);
      expect(asking.upstream.health.failures()).toBe(0);
      await asking.clock.advance(1100);
      await until('the rest', () => undecided === 0);
      expect(asking.upstream.waiting()).toBe(0);
    });
  });
});
