import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileChapter, joinChapters } from '../../../../src/deliver/dns/records/compile.ts';
import type { Chapter, NamedSets, RecordData } from '../../../../src/deliver/dns/records/records.ts';
import { a, apex, asking, cname, named, queryOf, setOf, soa, tableOf, txt } from './answering.ts';

const chapterOf = (...names: readonly NamedSets[]): Chapter => ({ key: 'web', names });
const compiling =
  (...names: readonly NamedSets[]) =>
  () =>
    compileChapter(chapterOf(...names));
const dataOf = (data: RecordData, name = `web.${apex}`) => {
  const told = asking(tableOf(chapterOf(named(name, [data])))).give(queryOf(name, data.type), 65_535);
  const [record] = typeof told === 'object' ? (told.packet.answers ?? []) : [];
  return record !== undefined && 'data' in record ? record.data : undefined;
};

/** An IPv6 address in its one usual spelling. */
const spelled = (address: string) => new URL(`http://[${address}]`).hostname;

/** For properties, on a machine that has other things to do. */
const patienceMs = 60_000;

describe('a compiled record', () => {
  it('says what was meant, for every type', () => {
    expect(dataOf(a('192.0.2.255'))).toBe('192.0.2.255');
    expect(dataOf({ type: 'AAAA', address: '2001:db8::1' })).toBe('2001:db8::1');
    expect(dataOf(cname('Host.elsewhere.test'))).toBe('Host.elsewhere.test');
    expect(dataOf({ type: 'NS', target: 'ns.zone.test' })).toBe('ns.zone.test');
    const srv = { priority: 65_535, weight: 256, port: 8443, target: 'slot-1.zone.test' };
    expect(dataOf({ type: 'SRV', ...srv })).toEqual(srv);
    const { primary, mailbox, negativeTtlSeconds } = soa() as Extract<RecordData, { type: 'SOA' }>;
    expect(dataOf({ ...soa(), serial: 4_294_967_295 } as RecordData)).toMatchObject({
      mname: primary,
      rname: mailbox,
      serial: 4_294_967_295,
      minimum: negativeTtlSeconds,
    });
  });

  it(
    'has every address that can be written, IPv4 in IPv6 clothes among them',
    () => {
      fc.assert(
        fc.property(fc.oneof(fc.ipV6(), fc.constant('::ffff:192.0.2.1')), (address) => {
          const told = dataOf({ type: 'AAAA', address });
          expect(typeof told === 'string' && spelled(told)).toBe(spelled(address));
        }),
      );
    },
    patienceMs,
  );

  it('has text of any length in strings of up to 255 bytes', () => {
    for (const text of ['', 'short', 'x'.repeat(255), 'x'.repeat(256), 'ä'.repeat(1000)]) {
      const strings = dataOf(txt(text));
      const parts = (Array.isArray(strings) ? strings : [strings]).map((part) => Buffer.from(part as Buffer));
      expect(Buffer.concat(parts).toString()).toBe(text);
      expect(parts.every((part) => part.length <= 255)).toBe(true);
    }
  });

  it('has a TTL of 0 to 2^31 - 1', () => {
    for (const ttlSeconds of [0, 1, 2_147_483_647]) {
      const one = { ...named(`web.${apex}`, []), sets: [setOf([a('10.0.0.1')], { ttlSeconds })] };
      expect(asking(tableOf(chapterOf(one))).ask(`web.${apex}`).answers[0]).toContain(` ${ttlSeconds} A `);
    }
  });
});

describe('compiling refuses as a bug', () => {
  const web = `web.${apex}`;

  it('names that cannot be spelled, anywhere', () => {
    const long = 'a'.repeat(64);
    expect(compiling(named(`${long}.${apex}`, []))).toThrow('a label of 64 bytes');
    expect(compiling(named(web, [cname(long)]))).toThrow('Cannot spell the name');
    expect(compiling(named(web, [{ type: 'SRV', priority: 1, weight: 1, port: 1, target: 'a..b' }]))).toThrow(
      '0 bytes',
    );
  });

  it('an address that is none, or of the other kind', () => {
    for (const address of ['', '10.0.0', '10.0.0.256', 'fd00::1', 'host']) {
      expect(compiling(named(web, [a(address)]))).toThrow(`Cannot spell an A record: "${address}" is no such address`);
    }
    for (const address of ['10.0.0.1', 'fd00::1::2', ':']) {
      expect(compiling(named(web, [{ type: 'AAAA', address }]))).toThrow('Cannot spell an AAAA record');
    }
  });

  it('a name that stands in it twice, in whatever case', () => {
    expect(compiling(named(web, []), named(web.toUpperCase(), []))).toThrow(
      'The chapter "web" has the name "WEB.ZONE.TEST" twice',
    );
  });

  it('sets without records, of mixed types, or twice', () => {
    const set = setOf([a('10.0.0.1')]);
    const withSets = (...sets: NamedSets['sets']) => compiling({ ...named(web, []), sets });
    expect(withSets({ ...set, records: [] })).toThrow('a set of type A with 0 records, expected 1 to 32767');
    expect(withSets({ ...set, type: 'AAAA' })).toThrow('has a A record in its set of type AAAA');
    expect(withSets(set, set)).toThrow('two sets of one type');
  });

  it('a CNAME beside other records, or two of them', () => {
    expect(compiling(named(web, [cname('a.test'), a('10.0.0.1')]))).toThrow('has a CNAME beside other records');
    expect(compiling(named(web, [cname('a.test'), cname('b.test')]))).toThrow('with 2 records, expected 1 to 1');
  });

  it('an authority that is not above the name', () => {
    expect(compiling(named(web, [], { apex: 'other.test' }))).toThrow('expected itself or a name above it');
    expect(compiling(named('azone.test', []))).toThrow('has its authority at "zone.test"');
  });

  it('and goes on with the next chapter as if nothing had been', () => {
    const good = chapterOf(named(web, [a('10.0.0.1')]));
    const before = compileChapter(good);
    expect(compiling(named(`ok.${apex}`, [a('10.0.0.2')]), named(web, [a('x')]))).toThrow('Cannot spell');
    expect(compileChapter(good)).toEqual(before);
  });
});

describe('a compiled chapter', () => {
  it('can lie anywhere in memory and in a message', () => {
    const parts = ['b', 'a', 'c'].map((key) => compileChapter({ key, names: [named(`${key}.${apex}`, [txt(key)])] }));
    const message = joinChapters(parts);
    const elsewhere = new Uint8Array(message.length + 9).fill(0xee);
    elsewhere.set(message, 5);
    const table = tableOf();
    table.install(elsewhere.subarray(5, 5 + message.length));
    expect(table.settle(10)).toBe(true);
    expect(asking(table).ask(`a.${apex}`, 'TXT').answers).toEqual([`a.${apex} 60 TXT a`]);
  });

  it(
    'may be larger than any before it',
    () => {
      const many = Array.from({ length: 1000 }, (_, n) =>
        named(`n${n}.${apex}`, [a('10.0.0.1'), txt('x'.repeat(3 * n))]),
      );
      const { ask } = asking(tableOf({ key: 'many', names: many }));
      for (const n of [0, 1, 499, 999]) expect(ask(`n${n}.${apex}`).answers).toEqual([`n${n}.${apex} 60 A 10.0.0.1`]);
    },
    patienceMs,
  );
});
