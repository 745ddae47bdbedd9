import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Asked, address, type NameServer, openNameServer, replyTo } from '../../../fixtures/name-server.ts';
import { until } from '../../../fixtures/until.ts';
import { queryFor, startUpstream, type UpstreamAsking, ways } from './asking.ts';

const long = 'a-name-with-more-letters-than-chance-leaves-small.example';
const good = (asked: Asked) => replyTo(asked, { answers: [address(asked.name)] });

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

  const ask = (query = queryFor(long)) => asking.ask(query);

  /** Waits until the server has been asked so often. */
  const asked = (count: number) => until(`${count} questions`, () => server.asked.length >= count);

  describe('a question to a server', () => {
    it('has the name and type of the client, its bits RD and CD, EDNS of 1232 bytes, and nothing else of it', async () => {
      const reply = await ask(queryFor(long, { type: 'AAAA', id: 7, flags: 0x0130, edns: 4096, isDo: true }));
      expect(reply).toMatchObject({ code: 0, answers: 1 });
      const [question] = server.asked;
      expect(question?.packet).toMatchObject({ flag_rd: true, flag_cd: true, flag_ad: false });
      expect(question?.name.toLowerCase()).toBe(long);
      expect(question?.packet.questions?.[0]?.type).toBe('AAAA');
      expect(question?.packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, flag_do: true }]);
      expect(asking.outcomes).toEqual(['answer']);
    });

    it('comes under ids, from ports and in letters that differ, and from other ports after a while', async () => {
      const count = 200;
      await Promise.all(Array.from({ length: count }, () => ask()));
      const ports = new Set(server.asked.map(({ port }) => port));
      expect(ports.size).toBeGreaterThan(10);
      expect(ports.size).toBeLessThanOrEqual(16);
      expect(new Set(server.asked.map(({ packet }) => packet.id)).size).toBeGreaterThan(count * 0.9);
      expect(new Set(server.asked.map(({ name }) => name)).size).toBeGreaterThan(count * 0.9);
      await asking.clock.advance(10_000);
      await Promise.all(Array.from({ length: count }, () => ask()));
      const later = server.asked.slice(count).map(({ port }) => port);
      expect(later.filter((port) => ports.has(port)).length).toBeLessThan(count * 0.1);
    });

    it('is over after its time, and what comes then is counted and not believed', async () => {
      server.act = () => {};
      const reply = ask();
      await asked(1);
      await asking.clock.advance(999);
      expect(asking.upstream.waiting()).toBe(1);
      await asking.clock.advance(10);
      expect(await reply).toBeUndefined();
      expect([asking.upstream.waiting(), asking.upstream.health.failures()]).toEqual([0, 1]);
      const [late] = server.asked as [Asked];
      late.send(good(late));
      await until('the late reply', () => asking.outcomes.length === 2);
      expect(asking.outcomes).toEqual(['timeout', 'mismatch']);
    });

    it('fails at once where nobody listens, and all that wait at that port with it', async () => {
      asking.upstream.close();
      const gone = await openNameServer();
      await gone.close();
      asking = startUpstream(gone.endpoint, libc);
      const replies = await Promise.all(Array.from({ length: 50 }, () => ask()));
      expect(replies.every((reply) => reply === undefined)).toBe(true);
      expect(asking.outcomes.filter((outcome) => outcome === 'error')).toHaveLength(50);
      expect(asking.upstream.health.isUp()).toBe(false);
    });

    it('goes over IPv6 too, and fails where there is no way', async () => {
      asking.upstream.close();
      const six = await openNameServer({ host: '::1' });
      asking = startUpstream({ ...six.endpoint, host: '0:0::0:1' }, libc);
      expect(asking.upstream.server).toBe(`[0:0::0:1]:${six.endpoint.port}`);
      expect(await ask()).toMatchObject({ code: 0, answers: 1 });
      await six.close();
      asking.upstream.close();
      asking = startUpstream({ host: '255.255.255.255', port: 53 }, libc);
      expect(await ask()).toBeUndefined();
      expect(await ask()).toBeUndefined();
    });
  });

  describe('a packet is no answer', () => {
    const changed = (bytes: Buffer, change: (copy: Buffer) => void) => {
      const copy = Buffer.from(bytes);
      change(copy);
      return copy;
    };
    const wrong: Readonly<Record<string, (asked: Asked) => void>> = {
      'with another id': (one) => one.send(changed(good(one), (copy) => copy.writeUInt8((copy[1] ?? 0) ^ 1, 1))),
      'with another name in its question': (one) => one.send(replyTo(one, { name: 'evil.example' })),
      'with a name that is longer': (one) => one.send(replyTo(one, { name: `${one.name}.evil` })),
      'with another type in its question': (one) =>
        one.send(changed(good(one), (copy) => copy.writeUInt8(0x1c, 12 + long.length + 3))),
      'without a question': (one) => one.send(changed(good(one), (copy) => copy.writeUInt16BE(0, 4))),
      'that is a question itself': (one) => one.send(one.bytes),
      'with another opcode': (one) => one.send(changed(good(one), (copy) => copy.writeUInt8(0xa1, 2))),
      'that is cut short': (one) => one.send(good(one).subarray(0, 20)),
      'of one byte': (one) => one.send(good(one).subarray(0, 1)),
      'of no bytes': (one) => one.send(Buffer.alloc(0)),
    };

    it.each(Object.keys(wrong))('%s, and the right one is waited for', async (kind) => {
      server.act = (one) => wrong[kind]?.(one);
      const reply = ask();
      await until('the wrong packet', () => asking.outcomes.length === 1);
      expect(asking.outcomes).toEqual(['mismatch']);
      const [one] = server.asked as [Asked];
      one.send(good(one));
      expect(await reply).toMatchObject({ code: 0, answers: 1 });
      expect(asking.outcomes).toEqual(['mismatch', 'answer']);
    });

    it('from another port: the kernel lets nobody else in', async () => {
      server.act = (one) => one.sendFromElsewhere(good(one));
      const reply = ask();
      await asked(1);
      await asking.clock.advance(1100);
      expect(await reply).toBeUndefined();
      expect(asking.outcomes).toEqual(['timeout']);
    });

    it('and where many such packets come, the port is given up', async () => {
      server.act = () => {};
      for (let turn = 0; turn < 100; turn += 1) void ask();
      await asked(100);
      const [victim] = server.asked as [Asked];
      const { port } = victim;
      for (let guess = 0; guess < 40; guess += 1) victim.send(replyTo(victim, { name: 'evil.example' }));
      await until('the guesses', () => asking.outcomes.filter((outcome) => outcome === 'mismatch').length === 40);
      for (let turn = 0; turn < 200; turn += 1) void ask();
      await asked(300);
      expect(server.asked.slice(100).filter((one) => one.port === port)).toEqual([]);
      const reply = asking.upstream.waiting();
      victim.send(good(victim));
      await until('the right reply', () => asking.upstream.waiting() === reply - 1);
    });

    it('when its records are broken, and the server failed', async () => {
      server.act = (one) => one.send(good(one).subarray(0, -1));
      expect(await ask()).toBeUndefined();
      expect(asking.outcomes).toEqual(['error']);
    });
  });

  describe('a server that is not up', () => {
    it('is tried again after pauses that grow, and is up with its first answer', async () => {
      server.act = () => {};
      for (let turn = 0; turn < 3; turn += 1) void ask();
      await asked(3);
      expect(asking.upstream.health.isUp()).toBe(true);
      await asking.clock.advance(1100);
      expect(asking.outcomes).toEqual(['timeout', 'timeout', 'timeout', 'health']);
      expect([asking.upstream.health.isUp(), asking.upstream.health.takeTrial(asking.clock.monotonic())]).toEqual([
        false,
        false,
      ]);
      await asking.clock.advance(2000);
      expect(asking.upstream.health.takeTrial(asking.clock.monotonic())).toBe(true);
      expect(asking.upstream.health.takeTrial(asking.clock.monotonic())).toBe(false);
      await asking.clock.advance(30_000);
      expect(asking.upstream.health.takeTrial(asking.clock.monotonic())).toBe(true);
      server.act = (one) => one.send(good(one));
      await ask();
      expect([asking.upstream.health.isUp(), asking.upstream.health.failures()]).toEqual([true, 0]);
    });
  });
});
