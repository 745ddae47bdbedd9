import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxUdpReplyBytes } from '../../../../src/deliver/dns/responder.ts';
import { a, apex, asking, named, queryOf, replyTo, setOf, soa, tableOf, tell, txt, zoneOf } from './answering.ts';

const addresses = (count: number) => Array.from({ length: count }, (_, n) => a(`10.0.${n >> 8}.${n & 255}`));
const hosts = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    type: 'SRV' as const,
    priority: 1,
    weight: 1,
    port: 80,
    target: `slot-${n}.web.zone.test`,
  }));

/** For properties, on a machine that has other things to do. */
const patienceMs = 60_000;

describe('a reply', () => {
  it('over UDP has 512 bytes, with EDNS what the asker takes and up to 1232, and over TCP all', () => {
    const table = zoneOf(named('web.zone.test', addresses(1000)));
    const { answerer } = asking(table);
    for (const [edns, limit, most] of [
      [undefined, maxUdpReplyBytes, 512],
      [100, maxUdpReplyBytes, 512],
      [512, maxUdpReplyBytes, 512],
      [900, maxUdpReplyBytes, 900],
      [4096, maxUdpReplyBytes, 1232],
      [undefined, 65_535, 65_535],
      [512, 65_535, 65_535],
    ] as const) {
      const reply = replyTo(answerer, queryOf('web.zone.test', 'A', edns === undefined ? {} : { edns }), limit);
      const { bytes, answers, packet } = tell(reply as Uint8Array);
      expect(answers).toHaveLength(Math.min(1000, Math.floor((most - 31 - (edns === undefined ? 0 : 11)) / 16)));
      expect([bytes.length <= most, packet.flag_tc]).toEqual([true, most < 65_535]);
    }
  });

  it(
    'has all that fits, in whole records, and TC only when answers are missing',
    () => {
      const count = fc.integer({ min: 1, max: 60 });
      const sizes = fc.record({
        edns: fc.option(fc.integer({ min: 0, max: 5000 }), { nil: undefined }),
        limit: fc.constantFrom(maxUdpReplyBytes, 65_535),
        order: fc.constantFrom('fixed' as const, 'turns' as const, 'weighted' as const),
      });
      const texts = fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 400 }), { minLength: 1, maxLength: 12 });
      const data = fc.oneof(
        count.map(addresses),
        count.map(hosts),
        texts.map((all) => all.map(txt)),
      );
      fc.assert(
        fc.property(data, fc.integer({ min: 1, max: 70 }), sizes, (records, answers, { edns, limit, order }) => {
          const set = setOf(records, { answers, order });
          const table = zoneOf(
            { ...named('web.zone.test', []), sets: [set] },
            ...hosts(60).map(({ target }, n) => named(target, [a(`10.0.0.${n}`)])),
          );
          const query = queryOf('web.zone.test', set.type, edns === undefined ? {} : { edns });
          const { bytes, packet, ...told } = tell(replyTo(asking(table).answerer, query, limit) as Uint8Array);
          const udp = edns === undefined ? 512 : Math.min(Math.max(512, edns), maxUdpReplyBytes);
          const most = limit === maxUdpReplyBytes ? udp : limit;
          expect(bytes.length).toBeLessThanOrEqual(most);
          const wanted = Math.min(answers, records.length);
          expect(packet.flag_tc).toBe(told.answers.length < wanted);
          expect(packet.additionals?.filter(({ type }) => type === 'OPT')).toHaveLength(edns === undefined ? 0 : 1);
          if (packet.flag_tc) expect(told.additionals).toEqual([]);
          if (limit === 65_535) expect(told.answers).toHaveLength(wanted);
        }),
        { numRuns: 200 },
      );
    },
    patienceMs,
  );

  it('leaves additional records out without TC', () => {
    const { answerer } = asking(
      zoneOf(
        named('web.zone.test', hosts(9)),
        ...hosts(9).map(({ target }, n) => named(target, [a(`10.0.0.${n}`), { type: 'AAAA', address: `fd00::${n}` }])),
      ),
    );
    const { answers, additionals, packet } = tell(
      replyTo(answerer, queryOf('web.zone.test', 'SRV'), 1232) as Uint8Array,
    );
    expect([answers.length, packet.flag_tc]).toEqual([9, false]);
    expect(additionals.length).toBeGreaterThan(0);
    expect(additionals.length).toBeLessThan(18);
    const all = tell(replyTo(answerer, queryOf('web.zone.test', 'SRV'), 65_535) as Uint8Array);
    expect(all.additionals).toHaveLength(18);
  });

  it('over TCP gives addresses to as many hosts as pointers reach', () => {
    const many = 1000;
    const { answerer } = asking(
      zoneOf(
        named('web.zone.test', hosts(many)),
        ...hosts(many).map(({ target }, n) => named(target, [a(`10.0.${n >> 8}.${n & 255}`)])),
      ),
    );
    const reply = replyTo(answerer, queryOf('web.zone.test', 'SRV'), 65_535);
    const { answers, additionals, packet } = tell(reply as Uint8Array);
    expect([answers.length, packet.flag_tc]).toEqual([many, false]);
    const given = Array.from(
      { length: additionals.length },
      (_, n) => `slot-${n}.web.zone.test 60 A 10.0.${n >> 8}.${n & 255}`,
    );
    expect(additionals).toEqual(given);
    // A pointer has 14 bits, and each of the records about 42 bytes.
    expect(additionals.length).toBeGreaterThan(380);
    expect(additionals.length).toBeLessThan(400);
  });

  it('without room for the SOA that denies has TC, as it could not be kept', () => {
    const long = (letter: string) => Array.from({ length: 3 }, () => letter.repeat(60)).join('.');
    const denial = { ...soa(), primary: long('p'), mailbox: long('m') } as const;
    const { answerer } = asking(tableOf({ key: 'zone', names: [named(apex, [denial])] }));
    const name = `${long('q')}.${apex}`;
    const short = tell(replyTo(answerer, queryOf(name), maxUdpReplyBytes) as Uint8Array);
    expect([short.code, short.authorities, short.packet.flag_tc]).toEqual(['NXDOMAIN', [], true]);
    const whole = tell(replyTo(answerer, queryOf(name), 65_535) as Uint8Array);
    expect([whole.code, whole.authorities.length, whole.packet.flag_tc]).toEqual(['NXDOMAIN', 1, false]);
  });
});
