import type { BlockList } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { networkList } from '../../../../src/deliver/dns/config.ts';
import { type Asked, address, type NameServer, openNameServer, replyTo } from '../../../fixtures/name-server.ts';
import { until } from '../../../fixtures/until.ts';
import { type Forwarding, queryFor, startForwarding, ways } from './asking.ts';

describe.each(ways)('forwarding by $name', ({ libc }) => {
  const opened: NameServer[] = [];
  let forwarding: Forwarding | undefined;

  async function open(act?: (asked: Asked) => void): Promise<NameServer> {
    const server = await openNameServer(act ? { act } : {});
    opened.push(server);
    return server;
  }

  /** Without a cache, unless a test wants one. */
  function start(servers: readonly NameServer[], options: object = {}): Forwarding {
    forwarding = startForwarding(servers, { cache: { maxBytes: 0 }, ...options }, libc);
    return forwarding;
  }

  afterEach(async () => {
    forwarding?.forwarder.close();
    forwarding = undefined;
    for (const server of opened.splice(0)) await server.close();
  });

  const says = (code: number) => (asked: Asked) => asked.send(replyTo(asked, { code }));
  const from = (data: string) => (asked: Asked) =>
    asked.send(replyTo(asked, { answers: [address(asked.name, 60, data)] }));

  describe('a forwarded question', () => {
    it('is answered with the id, the letters and the EDNS of the client, and RA', async () => {
      const { ask } = start([await open()]);
      const reply = await ask(queryFor('Www.EXAMPLE', { id: 99, edns: 4096, flags: 0x0110, isDo: true }));
      expect(reply).toMatchObject({
        id: 99,
        flag_qr: true,
        flag_rd: true,
        flag_ra: true,
        flag_cd: true,
        rcode: 'NOERROR',
      });
      expect(reply).toMatchObject({ flag_aa: false, flag_ad: false, flag_tc: false });
      expect(reply?.questions).toMatchObject([{ name: 'Www.EXAMPLE', type: 'A' }]);
      expect(reply?.answers).toMatchObject([{ name: 'Www.EXAMPLE', data: '192.0.2.1', ttl: 300 }]);
      expect(reply?.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, flag_do: true, ednsVersion: 0 }]);
      expect((await ask(queryFor('www.example')))?.additionals).toEqual([]);
    });

    it('is answered as much as the client takes over UDP, and whole over TCP', async () => {
      const answers = Array.from({ length: 40 }, (_, index) => address('big.example', 60, `192.0.2.${index}`));
      const { ask } = start([await open((asked) => asked.send(replyTo(asked, { answers })))]);
      const small = await ask(queryFor('big.example'));
      expect([small?.flag_tc, small?.answers?.length]).toEqual([true, 17]);
      const larger = await ask(queryFor('big.example', { edns: 1000 }));
      expect([larger?.flag_tc, larger?.answers?.length]).toEqual([true, 35]);
      const whole = await ask(queryFor('big.example'), 65_535);
      expect([whole?.flag_tc, whole?.answers?.length]).toEqual([false, 40]);
    });

    it('is asked once for all that have it at the same time, however they spell it', async () => {
      const server = await open(() => {});
      const { ask, forwarder } = start([server]);
      const names = ['www.example', 'WWW.example', 'www.EXAMPLE'];
      const replies = names.map((name, id) => ask(queryFor(name, { id })));
      const other = ask(queryFor('www.example', { type: 'AAAA' }));
      await until('two questions', () => server.asked.length === 2);
      expect(forwarder.status()).toMatchObject([{ waiting: 2 }]);
      for (const asked of server.asked) from('192.0.2.7')(asked);
      expect((await Promise.all(replies)).map((reply) => [reply?.id, reply?.questions?.[0]?.name])).toEqual(
        names.map((name, id) => [id, name]),
      );
      await other;
      expect(server.asked).toHaveLength(2);
    });

    it('that cannot be read is given up', async () => {
      const { ask } = start([await open()]);
      expect(await ask(queryFor('www.example').subarray(0, 20))).toBeUndefined();
      expect(await ask(Buffer.alloc(0))).toBeUndefined();
    });

    it('is given up at once when too many wait already', async () => {
      const server = await open(() => {});
      const { ask, clock } = start([server], { maxPending: 3, tries: 1 });
      const three = ['a', 'a', 'b'].map((name) => ask(queryFor(`${name}.example`)));
      await until('the questions', () => server.asked.length === 2);
      expect(await ask(queryFor('c.example'))).toBeUndefined();
      expect(await ask(queryFor('a.example'))).toBeUndefined();
      await clock.advance(1100);
      expect(await Promise.all(three)).toEqual([undefined, undefined, undefined]);
      server.act = from('192.0.2.1');
      expect(await ask(queryFor('c.example'))).toMatchObject({ rcode: 'NOERROR' });
    });

    it('is never answered after the end', async () => {
      const server = await open(() => {});
      const { forwarder, clock } = start([server]);
      let count = 0;
      forwarder.ask(queryFor('www.example'), 1232, () => (count += 1));
      await until('the question', () => server.asked.length === 1);
      forwarder.close();
      for (const asked of server.asked) from('192.0.2.1')(asked);
      await clock.advance(10_000);
      expect(count).toBe(0);
    });
  });

  describe('of several servers', () => {
    it('the first is asked, and the next when that fails or is silent', async () => {
      const [first, second] = [await open(), await open(from('192.0.2.2'))];
      const { ask, clock, upstream } = start([first, second]);
      expect((await ask(queryFor('a.example')))?.answers).toMatchObject([{ data: '192.0.2.1' }]);
      expect(second.asked).toHaveLength(0);
      for (const code of [2, 5]) {
        first.act = says(code);
        expect((await ask(queryFor('a.example')))?.answers).toMatchObject([{ data: '192.0.2.2' }]);
      }
      first.act = () => {};
      const reply = ask(queryFor('a.example'));
      await until('the silent one', () => first.asked.length === 4);
      await clock.advance(1100);
      expect((await reply)?.answers).toMatchObject([{ data: '192.0.2.2' }]);
      expect(upstream.filter((line) => line.endsWith('timeout'))).toEqual([`${first.name} timeout`]);
    });

    it('a name that does not exist is believed to the first', async () => {
      const [first, second] = [await open(says(3)), await open()];
      const { ask } = start([first, second]);
      expect(await ask(queryFor('a.example'))).toMatchObject({ rcode: 'NXDOMAIN' });
      expect(second.asked).toHaveLength(0);
    });

    it('the last that says something is heard when none is better, and each is asked in turn', async () => {
      const [first, second] = [await open(says(5)), await open(() => {})];
      const { ask, clock } = start([first, second], { tries: 4 });
      const reply = ask(queryFor('a.example'));
      await until('the first to be asked', () => second.asked.length === 1);
      await clock.advance(1100);
      await until('another turn', () => second.asked.length === 2);
      await clock.advance(1100);
      expect(await reply).toMatchObject({ rcode: 'REFUSED', flag_ra: true });
      expect([first.asked.length, second.asked.length]).toEqual([2, 2]);
    });

    it('one that is gone is asked last, tried beside the others after a while, and preferred again when it is back', async () => {
      const gone = await openNameServer();
      await gone.close();
      const second = await open(from('192.0.2.2'));
      const { ask, forwarder, clock, upstream } = start([gone, second]);
      for (let turn = 0; turn < 10; turn += 1) await ask(queryFor(`n${turn}.example`));
      expect(upstream.filter((line) => line === `${gone.name} error`)).toHaveLength(3);
      expect(forwarder.status()).toEqual([
        { server: gone.name, isUp: false, failures: 3, waiting: 0 },
        { server: second.name, isUp: true, failures: 0, waiting: 0 },
      ]);
      const back = await openNameServer({ port: gone.endpoint.port });
      opened.push(back);
      await ask(queryFor('early.example'));
      expect(back.asked).toHaveLength(0);
      await clock.advance(2000);
      expect((await ask(queryFor('trial.example')))?.answers).toMatchObject([{ data: '192.0.2.2' }]);
      await until('the trial', () => forwarder.status()[0]?.isUp);
      expect((await ask(queryFor('later.example')))?.answers).toMatchObject([{ data: '192.0.2.1' }]);
      expect(back.asked.map(({ name }) => name.toLowerCase())).toEqual(['trial.example', 'later.example']);
    });

    it('all that are gone are asked still', async () => {
      const server = await openNameServer();
      await server.close();
      const { ask, forwarder } = start([server]);
      for (let turn = 0; turn < 3; turn += 1) expect(await ask(queryFor('a.example'))).toBeUndefined();
      expect(forwarder.status()[0]?.isUp).toBe(false);
      opened.push(await openNameServer({ port: server.endpoint.port }));
      expect(await ask(queryFor('a.example'))).toMatchObject({ rcode: 'NOERROR' });
      expect(forwarder.status()[0]?.isUp).toBe(true);
    });
  });

  describe('who may ask', () => {
    it('is who is near, unless something else is said', async () => {
      const server = await open();
      const four = (text: string) => Uint8Array.from(text.split('.').map(Number));
      const { mayAsk } = start([server]).forwarder;
      expect(['127.0.0.1', '10.1.2.3', '192.168.7.7', '172.31.0.1'].map((text) => mayAsk(four(text)))).not.toContain(
        false,
      );
      expect(['8.8.8.8', '172.32.0.1', '11.0.0.0'].map((text) => mayAsk(four(text)))).not.toContain(true);
      expect(mayAsk(Uint8Array.from([...Array.from({ length: 15 }, () => 0), 1]))).toBe(true);
      expect(mayAsk(Uint8Array.from([0x20, 1, ...Array.from({ length: 14 }, () => 0)]))).toBe(false);
    });

    it('is decided as by net.BlockList', async () => {
      const server = await open();
      const allow = ['10.0.0.0/9', '192.0.2.64/26', '2001:db8::/33', '::1'];
      const { mayAsk } = start([server], { allow }).forwarder;
      const list: BlockList = networkList(allow);
      const near = fc.constantFrom('10.127.255.255', '10.128.0.0', '192.0.2.63', '192.0.2.64', '192.0.2.128');
      fc.assert(
        fc.property(fc.oneof(fc.ipV4(), near), (text) => {
          expect(mayAsk(Uint8Array.from(text.split('.').map(Number)))).toBe(list.check(text, 'ipv4'));
        }),
      );
    });
  });
});
