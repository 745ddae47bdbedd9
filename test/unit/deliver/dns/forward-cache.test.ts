import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { address, type NameServer, openNameServer, replyTo, soa } from '../../../fixtures/name-server.ts';
import { until } from '../../../fixtures/until.ts';
import { type Forwarding, queryFor, startForwarding, ways } from './asking.ts';

describe.each(ways)('forwarding by $name', ({ libc }) => {
  let server: NameServer;
  let forwarding: Forwarding;

  beforeEach(async () => {
    server = await openNameServer();
  });
  afterEach(async () => {
    forwarding.forwarder.close();
    await server.close();
  });

  function start(options: object = {}): Forwarding {
    forwarding = startForwarding([server], { tries: 2, ...options }, libc);
    return forwarding;
  }

  const query = queryFor('www.example');

  describe('an answer that is known', () => {
    it('is given without a server, with what is left of each TTL, for each client as it asks', async () => {
      server.act = (asked) =>
        asked.send(
          replyTo(asked, {
            answers: [
              { name: asked.name, type: 'CNAME', ttl: 300, data: 'other.example' },
              address('other.example', 100),
            ],
            additionals: [address('ns.example', 200)],
          }),
        );
      const { ask, clock, cache, forwarder } = start();
      await ask(query);
      await clock.advance(40_500);
      const reply = await ask(queryFor('WWW.example', { id: 5, edns: 1232 }));
      expect(reply).toMatchObject({ id: 5, flag_ra: true, flag_aa: false, questions: [{ name: 'WWW.example' }] });
      expect(reply?.answers?.map((answer) => 'ttl' in answer && answer.ttl)).toEqual([260, 60]);
      expect(reply?.additionals?.map((answer) => [answer.type, 'ttl' in answer && answer.ttl])).toEqual([
        ['A', 160],
        ['OPT', false],
      ]);
      expect(forwarder.cacheBytes()).toBeGreaterThan(100);
      await clock.advance(60_000);
      await ask(query);
      expect([server.asked.length, cache]).toEqual([2, ['miss', 'hit', 'miss']]);
    });

    it('may be that there is none', async () => {
      server.act = (asked) => asked.send(replyTo(asked, { code: 3, authorities: [soa('example', 60, 30)] }));
      const { ask, clock } = start();
      await ask(query);
      await clock.advance(10_000);
      const reply = await ask(query);
      expect(reply).toMatchObject({ rcode: 'NXDOMAIN', authorities: [{ type: 'SOA', ttl: 20 }] });
      expect(server.asked).toHaveLength(1);
    });

    it('is not shared between questions with and without DO', async () => {
      const { ask } = start();
      await ask(query);
      await ask(queryFor('www.example', { edns: 1232, isDo: true }));
      await ask(queryFor('www.example', { edns: 1232 }));
      expect(server.asked).toHaveLength(2);
    });

    it('is truncated for those who take little, and asked for once', async () => {
      const answers = Array.from({ length: 90 }, (_, index) => address('www.example', 60, `192.0.2.${index}`));
      server.act = (asked) =>
        asked.send(replyTo(asked, asked.transport === 'udp' ? { isTruncated: true } : { answers }));
      const { ask } = start();
      expect(await ask(query)).toMatchObject({ flag_tc: true });
      const whole = await ask(query, 65_535);
      expect([whole?.flag_tc, whole?.answers?.length]).toEqual([false, 90]);
      expect(server.asked).toHaveLength(2);
    });
  });

  describe('a question that nobody could answer', () => {
    it('is not asked again for a second, and gets the same code', async () => {
      server.act = (asked) => asked.send(replyTo(asked, { code: 5 }));
      const { ask, clock } = start();
      expect(await ask(query)).toMatchObject({ rcode: 'REFUSED' });
      expect(server.asked).toHaveLength(2);
      expect(await ask(queryFor('www.EXAMPLE', { id: 3, edns: 1232 }))).toMatchObject({
        id: 3,
        rcode: 'REFUSED',
        flag_ra: true,
        flag_rd: true,
        questions: [{ name: 'www.EXAMPLE' }],
        additionals: [{ type: 'OPT', udpPayloadSize: 1232 }],
      });
      expect(server.asked).toHaveLength(2);
      await clock.advance(1000);
      await ask(query);
      expect(server.asked).toHaveLength(4);
    });

    it('is SERVFAIL then when there was silence', async () => {
      await server.close();
      const { ask, upstream } = start();
      expect(await ask(query)).toBeUndefined();
      expect(await ask(query)).toMatchObject({ rcode: 'SERVFAIL', flag_ra: true });
      expect(upstream).toHaveLength(2);
      server = await openNameServer();
    });
  });

  describe('what has run out', () => {
    const stale = { cache: { staleSeconds: 3600 } };

    async function learnAndWait(): Promise<Forwarding> {
      const one = start(stale);
      await one.ask(query);
      await one.clock.advance(300_000);
      return one;
    }

    it('is given after 1.8 seconds, with a TTL of 30 seconds, and replaced when the answer comes', async () => {
      const { ask, clock, cache } = await learnAndWait();
      server.act = () => {};
      let given = 0;
      const early = ask(query).then((reply) => {
        given += 1;
        return reply;
      });
      await until('the question', () => server.asked.length === 2);
      await clock.advance(1700);
      await until('the second try', () => server.asked.length === 3);
      expect(given).toBe(0);
      await clock.advance(100);
      expect((await early)?.answers).toMatchObject([{ data: '192.0.2.1', ttl: 30 }]);
      // Who comes now need not wait.
      expect((await ask(queryFor('www.example', { id: 8 })))?.id).toBe(8);
      expect(cache).toEqual(['miss', 'miss', 'stale', 'miss', 'stale']);
      const [, , last] = server.asked;
      last?.send(replyTo(last, { answers: [address('www.example', 60, '192.0.2.9')] }));
      await until('the new answer', async () =>
        (await ask(query))?.answers?.some((answer) => answer.type === 'A' && answer.data === '192.0.2.9'),
      );
      expect(server.asked).toHaveLength(3);
    });

    it('is given when all servers fail, without asking again for a second', async () => {
      const { ask, clock } = await learnAndWait();
      server.act = (asked) => asked.send(replyTo(asked, { code: 2 }));
      for (let turn = 0; turn < 3; turn += 1) {
        expect(await ask(query)).toMatchObject({ rcode: 'NOERROR', answers: [{ ttl: 30 }] });
      }
      expect(server.asked).toHaveLength(3);
      await clock.advance(1000);
      server.act = (asked) => asked.send(replyTo(asked, { answers: [address(asked.name, 60, '192.0.2.5')] }));
      expect(await ask(query)).toMatchObject({ answers: [{ ttl: 60, data: '192.0.2.5' }] });
    });

    it('is given when too many wait already', async () => {
      const one = start({ ...stale, maxPending: 1 });
      await one.ask(query);
      await one.clock.advance(300_000);
      server.act = () => {};
      void one.ask(queryFor('other.example'));
      expect(await one.ask(query)).toMatchObject({ answers: [{ ttl: 30 }] });
    });

    it('is not given when a server says that it is gone, or when it is too old', async () => {
      const { ask, clock } = await learnAndWait();
      server.act = (asked) => asked.send(replyTo(asked, { code: 3 }));
      expect(await ask(query)).toMatchObject({ rcode: 'NXDOMAIN' });
      server.act = (asked) => asked.send(replyTo(asked, { code: 2 }));
      expect(await ask(query)).toMatchObject({ rcode: 'SERVFAIL' });
      server.act = (asked) => asked.send(replyTo(asked, { answers: [address(asked.name, 60)] }));
      await clock.advance(1000);
      await ask(query);
      await clock.advance(3_660_000);
      server.act = (asked) => asked.send(replyTo(asked, { code: 2 }));
      expect(await ask(query)).toMatchObject({ rcode: 'SERVFAIL' });
    });
  });
});
