import { type Answer, decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareReply, type Question, readQuestion } from '../../../../src/deliver/dns/forward/match.ts';
import { fresh, renderReply } from '../../../../src/deliver/dns/forward/render.ts';
import { type Reply, readReply } from '../../../../src/deliver/dns/forward/reply.ts';
import { address, replyTo, type Said, soa } from '../../../fixtures/name-server.ts';
import { queryFor } from './asking.ts';

const name = 'www.example';
const query = queryFor(name);
const question = readQuestion(query) as Question;

const said = (what: Said, of = query) => replyTo({ packet: decode(of) }, what);
const readOf = (what: Said): Reply | undefined => readReply(said(what), question);
const opt = { type: 'OPT', name: '.', udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0, options: [] };

const label = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const anyName = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
const anyRecord: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ name: anyName, type: fc.constant('A' as const), ttl: fc.nat(), data: fc.ipV4() }),
  fc.record({ name: anyName, type: fc.constant('CNAME' as const), ttl: fc.nat(), data: anyName }),
  fc.record({ name: anyName, type: fc.constant('TXT' as const), ttl: fc.nat(), data: label }),
  fc.record({
    name: anyName,
    type: fc.constant('MX' as const),
    ttl: fc.nat(),
    data: fc.record({ preference: fc.nat(65_535), exchange: anyName }),
  }),
  fc.record({
    name: anyName,
    type: fc.constant('SRV' as const),
    ttl: fc.nat(),
    data: fc.record({ port: fc.nat(65_535), target: anyName, weight: fc.nat(9), priority: fc.nat(9) }),
  }),
);
const anySaid = fc.record({
  answers: fc.array(anyRecord, { maxLength: 8 }),
  authorities: fc.array(anyRecord, { maxLength: 3 }),
  additionals: fc.array(anyRecord, { maxLength: 3 }),
});

describe('a reply of a server', () => {
  it('is read to its end whatever records it has, and given on as it came', () => {
    fc.assert(
      fc.property(anySaid, (what) => {
        const reply = readOf(what) as Reply;
        expect(reply.records).toBe(what.answers.length + what.authorities.length + what.additionals.length);
        const [given, came] = [renderReply(question, reply, fresh, 65_535), said(what)].map((bytes) => decode(bytes));
        expect(given?.answers).toEqual(came?.answers);
        expect(given?.authorities).toEqual(came?.authorities);
        expect(given?.additionals).toEqual(came?.additionals);
      }),
    );
  });

  it('is refused or read, never more, whatever the bytes are', () => {
    const base = said({ answers: [address(name), soa('example', 60, 60)], additionals: [opt as never] });
    const spots = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 8 });
    fc.assert(
      fc.property(spots, fc.nat(base.length), fc.uint8Array({ maxLength: 60 }), (changes, end, tail) => {
        const bytes = Buffer.concat([base.subarray(0, end), tail]);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        compareReply(bytes, query, question.end);
        if (bytes.length < question.end) return;
        const reply = readReply(bytes, question);
        if (reply === undefined) return;
        const given = renderReply(question, reply, { seconds: 5 }, 1232);
        expect(readReply(given, question)?.records).toBe(reply.records);
      }),
      { numRuns: 3000 },
    );
  });

  it('is refused when names go in circles, forwards or on and on, or data has the wrong size', () => {
    const at = question.end;
    const withTail = (...tail: number[]) => {
      const bytes = Buffer.concat([said({}), Buffer.from(tail)]);
      bytes.writeUInt16BE(1, 6);
      return bytes;
    };
    const a = [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];
    expect(readReply(withTail(0xc0, 12, ...a), question)).toMatchObject({ answers: 1, ttlSeconds: 60 });
    expect(readReply(withTail(0xc0, at, ...a), question)).toBeUndefined();
    expect(readReply(withTail(0xc0, at + 2, ...a), question)).toBeUndefined();
    expect(readReply(withTail(0xc0, 2, ...a), question)).toBeUndefined();
    expect(readReply(withTail(1, 97, 0xc0, at, ...a), question)).toBeUndefined();
    expect(readReply(withTail(0x40, 97, 0, ...a), question)).toBeUndefined();
    expect(readReply(withTail(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 3, 192, 0, 2), question)).toBeUndefined();
    expect(readReply(withTail(0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 3, 0xc0, 12, 0), question)).toBeUndefined();
    expect(readReply(withTail(0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0), question)).toBeUndefined();
  });

  it('is refused when its names cost more steps than its bytes allow', () => {
    // A name of 120 labels, then records that all point at it, each with 120 steps for sixteen bytes.
    const deep = queryFor(Array.from({ length: 120 }, () => 'a').join('.'));
    const answers = Array.from({ length: 500 }, () => [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
    const bytes = Buffer.concat([said({}, deep), Buffer.from(answers.flat())]);
    bytes.writeUInt16BE(500, 6);
    expect(readReply(bytes, readQuestion(deep) as Question)).toBeUndefined();
  });

  it('ends at OPT, behind which additional records are left out', () => {
    const additionals = [address('one.example'), opt as never, address('two.example')];
    const reply = readOf({ answers: [address(name)], additionals }) as Reply;
    expect(reply.records).toBe(2);
    const given = decode(renderReply(question, reply, fresh, 1232));
    expect(given.additionals).toMatchObject([{ name: 'one.example', data: '192.0.2.1' }]);
    expect(readOf({ additionals: [opt, opt] as never })).toBeUndefined();
    expect(readOf({ answers: [opt as never] })).toBeUndefined();
  });

  it('may be kept for its least TTL, and not with the highest bit of a TTL set', () => {
    const answers = [address(name, 300), address(name, 60, '192.0.2.2')];
    expect(readOf({ answers })).toMatchObject({ ttlSeconds: 60, isNegative: false });
    expect(readOf({ answers, additionals: [address('ns.example', 30)] })).toMatchObject({ ttlSeconds: 30 });
    expect(readOf({ answers: [address(name, 0x8000_0000)] })).toMatchObject({ ttlSeconds: 0 });
    expect(readOf({ code: 2, answers })).toMatchObject({ ttlSeconds: 0, code: 2 });
  });

  it('that is negative may be kept by its SOA: the lower of its TTL and its last number', () => {
    expect(readOf({ code: 3, authorities: [soa('example', 600, 60)] })).toMatchObject({
      isNegative: true,
      ttlSeconds: 60,
    });
    expect(readOf({ authorities: [soa('example', 30, 60)] })).toMatchObject({ isNegative: true, ttlSeconds: 30 });
    expect(readOf({ code: 3 })).toMatchObject({ isNegative: true, ttlSeconds: 0 });
    const alias = { name, type: 'CNAME', ttl: 20, data: 'other.example' } as const;
    expect(readOf({ answers: [alias] })).toMatchObject({ isNegative: true, ttlSeconds: 0 });
    expect(readOf({ answers: [alias], authorities: [soa('example', 90, 60)] })).toMatchObject({ ttlSeconds: 20 });
    expect(readOf({ answers: [alias, address('other.example', 10)] })).toMatchObject({
      isNegative: false,
      ttlSeconds: 10,
    });
  });
});

describe('what a client gets', () => {
  const many = Array.from({ length: 60 }, (_, index) => address(name, 60, `192.0.2.${index}`));

  it('ends behind a whole record, with TC when answers are missing', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(10), fc.option(fc.integer({ min: 1, max: 4096 })), (count, others, edns) => {
        const answers = many.slice(0, count);
        const additionals = many.slice(0, others);
        const asking = queryFor(name, edns === null ? {} : { edns });
        const client = readQuestion(asking) as Question;
        const reply = readOf({ answers, additionals }) as Reply;
        const given = renderReply(client, reply, fresh, 1232);
        const limit = edns === null ? 512 : Math.max(512, Math.min(1232, edns));
        expect(given.length).toBeLessThanOrEqual(limit);
        const packet = decode(given);
        const rest = packet.additionals?.filter(({ type }) => type !== 'OPT') ?? [];
        expect(packet.answers?.map(({ type }) => type)).toEqual(
          answers.slice(0, packet.answers?.length).map(() => 'A'),
        );
        expect(packet.flag_tc).toBe((packet.answers?.length ?? 0) < count);
        expect(encode(packet).length).toBe(given.length);
        const isWhole = packet.answers?.length === count && rest.length === others;
        expect(isWhole || given.length > limit - 16 - name.length).toBe(true);
        expect(decode(renderReply(client, reply, fresh, 65_535)).answers).toHaveLength(count);
      }),
    );
  });
});

describe('a question of a client', () => {
  it('is one with others that differ in case, id and options alone', () => {
    const key = (of: Buffer) => readQuestion(of)?.key;
    const same = [queryFor('WWW.example', { id: 1 }), queryFor(name, { edns: 512 }), queryFor(name, { flags: 0x0120 })];
    expect(same.map(key)).toEqual(same.map(() => question.key));
    const others = [
      queryFor('ww.example'),
      queryFor(name, { type: 'AAAA' }),
      queryFor(name, { flags: 0 }),
      queryFor(name, { flags: 0x0110 }),
      queryFor(name, { edns: 512, isDo: true }),
    ];
    expect(new Set([question.key, ...others.map(key)]).size).toBe(6);
  });

  it('is read or not, whatever the bytes are', () => {
    const base = queryFor(name, { edns: 4096 });
    const spots = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(spots, fc.nat(base.length), fc.uint8Array({ maxLength: 30 }), (changes, end, tail) => {
        const bytes = Buffer.concat([base.subarray(0, end), tail]);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const read = readQuestion(bytes);
        if (read !== undefined) expect(read.end).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 3000 },
    );
    expect(readQuestion(base)).toMatchObject({ hasEdns: true, udpBytes: 1232, wantsDnssec: false });
  });
});
