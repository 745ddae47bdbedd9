import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Asked, address, type NameServer, openNameServer, replyTo } from '../../../fixtures/name-server.ts';
import { queryFor, startUpstream, type UpstreamAsking, ways } from './asking.ts';

const long = 'a-name-with-more-letters-than-chance-leaves-small.example';
const good = (asked: Asked) => replyTo(asked, { answers: [address(asked.name)] });
const isEdns = ({ packet }: Asked) => packet.additionals?.some(({ type }) => type === 'OPT') === true;
const isMixed = ({ name }: Asked) => name !== name.toLowerCase();

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

  describe('a server with its own ways', () => {
    it.each([
      ['FORMERR', 1],
      ['NOTIMP', 4],
    ])('is asked without EDNS when it says %s, and so for ten minutes', async (_, code) => {
      server.act = (one) => one.send(isEdns(one) ? replyTo(one, { code }) : good(one));
      expect(await ask()).toMatchObject({ code: 0, answers: 1 });
      expect(await ask()).toMatchObject({ code: 0, answers: 1 });
      expect(server.asked.map(isEdns)).toEqual([true, false, false]);
      await asking.clock.advance(600_000);
      await ask();
      expect(server.asked.map(isEdns)).toEqual([true, false, false, true, false]);
    });

    it('may complain with twelve bytes or by BADVERS', async () => {
      server.act = (one) => {
        const bare = Buffer.alloc(12);
        one.bytes.copy(bare, 0, 0, 2);
        bare.writeUInt16BE(0x8001, 2);
        one.send(isEdns(one) ? bare : good(one));
      };
      expect(await ask()).toMatchObject({ code: 0, answers: 1 });
      asking.upstream.close();
      asking = startUpstream(server.endpoint, libc);
      const opt = {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 512,
        extendedRcode: 1,
        ednsVersion: 0,
        flags: 0,
        options: [],
      };
      server.act = (one) => one.send(isEdns(one) ? replyTo(one, { additionals: [opt as never] }) : good(one));
      expect(await ask()).toMatchObject({ code: 0, answers: 1 });
    });

    it('keeps being asked with EDNS when it complains without it too', async () => {
      server.act = (one) => one.send(replyTo(one, { code: 1 }));
      expect(await ask()).toMatchObject({ code: 1 });
      expect(await ask()).toMatchObject({ code: 1 });
      expect(server.asked.map(isEdns)).toEqual([true, false, true, false]);
    });

    it('is asked as the client spells when it changes the case of letters', async () => {
      server.act = (one) => one.send(replyTo(one, { name: one.name.toLowerCase(), answers: [address(long)] }));
      const query = queryFor(long.replaceAll('s', 'S'));
      const reply = await ask(query);
      expect(reply).toMatchObject({ code: 0, answers: 1 });
      // As the client spelled it, question and owner.
      expect(reply?.bytes.toString('latin1').split(long.split('.')[0]?.replaceAll('s', 'S') ?? '')).toHaveLength(3);
      expect(asking.outcomes).toEqual(['mismatch', 'answer']);
      await ask(query);
      expect(asking.outcomes).toEqual(['mismatch', 'answer', 'answer']);
      expect(server.asked.map(isMixed)).toEqual([true, true, true]);
      expect(server.asked.map(({ name }) => name === long.replaceAll('s', 'S'))).toEqual([false, true, true]);
    });
  });
});
