import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileChapter } from '../../../../src/deliver/dns/records/compile.ts';
import type { RecordSet } from '../../../../src/deliver/dns/records/records.ts';
import { addressSets, serialOf, zoneChapter } from '../../../../src/deliver/dns/records/zone-records.ts';
import { layOutNames, type NamedService, type ZoneRules } from '../../../../src/deliver/dns/records/zones.ts';
import { showSets } from '../../../fixtures/dns-records.ts';

const chapterOf = (fields: Partial<ZoneRules>, services: readonly NamedService[] = []) => {
  const dns: ZoneRules = {
    domain: 'ha.local',
    listen: [{ host: '192.0.2.1' }, { host: '2001:db8::1' }],
    ttlSeconds: 10,
    negativeTtlSeconds: 3,
    nameServers: [],
    aliases: {},
    otherTypes: 'nodata',
    ...fields,
  };
  const chapter = zoneChapter({ dns, layout: layOutNames(dns, services), serial: 77 });
  compileChapter(chapter);
  return Object.fromEntries(chapter.names.map(({ name, sets }) => [name, showSets(sets)]));
};
const web: NamedService = { name: 'web', dns: { publish: true } };
const soa = 'SOA 3: ns.ha.local hostmaster.ha.local 77 3600 600 604800 3';

describe('the chapter of the zones', () => {
  it('has SOA and NS at the apex, and the name server below it with the addresses that are listened on', () => {
    expect(chapterOf({})).toEqual({
      'ha.local': [soa, 'NS 300: ns.ha.local'],
      'ns.ha.local': ['A 300: 192.0.2.1', 'AAAA 300: 2001:db8::1'],
    });
  });

  it('lets a name server exist without an address where hsdo listens on all of them', () => {
    expect(chapterOf({ listen: [{ host: '0.0.0.0' }] })['ns.ha.local']).toEqual([]);
  });

  it('names the servers of the configuration, and those in its zones by their addresses', () => {
    const names = chapterOf({
      nameServers: [
        { name: 'a.ns.ha.local', addresses: ['192.0.2.5'] },
        { name: 'ns.example.net', addresses: ['192.0.2.6'] },
      ],
    });
    expect(names).toEqual({
      'ha.local': [
        'SOA 3: a.ns.ha.local hostmaster.ha.local 77 3600 600 604800 3',
        'NS 300: a.ns.ha.local, ns.example.net',
      ],
      'a.ns.ha.local': ['A 300: 192.0.2.5'],
      'ns.ha.local': [],
    });
  });

  it('has aliases, and names that are only there because of others', () => {
    const names = chapterOf({ aliases: { 'www.old.ha.local': 'web.ha.local', 'far.example.org': 'x.y' } }, [web]);
    expect(names['www.old.ha.local']).toEqual(['CNAME 10: web.ha.local']);
    expect(names['old.ha.local']).toEqual([]);
    expect(names['_tcp.ha.local']).toEqual([]);
    expect(names).not.toHaveProperty(['far.example.org']);
    expect(names).not.toHaveProperty(['web.ha.local']);
  });

  it.each([
    [
      { addresses: ['192.0.2.8', '2001:db8::8', '192.0.2.9'] },
      ['A 10 turns: 192.0.2.8, 192.0.2.9', 'AAAA 10 turns: 2001:db8::8'],
    ],
    [{ name: 'www.example.org' }, ['CNAME 10: www.example.org']],
  ])('answers for what nobody declared with %j', (undeclared, expected) => {
    expect(chapterOf({ undeclared })['*.ha.local']).toEqual(expected);
  });

  it('leaves the wildcard to the service that stands for what nobody declared', () => {
    expect(chapterOf({ undeclared: { service: 'web' } }, [web])).not.toHaveProperty(['*.ha.local']);
  });

  it('leaves an apex to the service whose name it is', () => {
    const names = chapterOf({}, [{ ...web, domain: 'HA.local' }]);
    expect(names).not.toHaveProperty(['ha.local']);
    expect(names).toHaveProperty(['ns.ha.local']);
  });

  it('counts its serial in seconds, within the 32 bits that there are', () => {
    expect(serialOf(1_700_000_000_999)).toBe(1_700_000_000);
    expect(serialOf(8.64e15)).toBeLessThan(2 ** 32);
    expect(serialOf(0)).toBe(0);
  });
});

describe('sets of addresses', () => {
  it('name each address once, with the weights of all who share it', () => {
    const ofWeight = (address: string, weight: number) => ({ address, weight });
    const sets = addressSets([ofWeight('192.0.2.1', 3), ofWeight('2001:db8::1', 1), ofWeight('192.0.2.1', 4)], {
      ttlSeconds: 5,
      order: 'weighted',
      answers: 1,
    });
    expect(sets).toMatchObject([
      { type: 'A', records: [{ data: { address: '192.0.2.1' }, weight: 7 }] },
      { type: 'AAAA', records: [{ weight: 1 }] },
    ]);
  });

  it('are never empty, never give more than they have, and lose no address', () => {
    const address = fc.oneof(fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1'), fc.ipV4());
    const giving = fc.record({
      ttlSeconds: fc.nat(),
      order: fc.constantFrom<RecordSet['order']>('fixed', 'turns', 'weighted'),
      answers: fc.constantFrom(1, 2, Number.POSITIVE_INFINITY),
    });
    fc.assert(
      fc.property(fc.array(fc.record({ address, weight: fc.nat({ max: 256 }) })), giving, (addresses, how) => {
        const sets = addressSets(addresses, how);
        for (const { records, answers } of sets) {
          expect(records.length).toBeGreaterThan(0);
          expect(answers).toBeGreaterThan(0);
          expect(answers).toBeLessThanOrEqual(records.length);
        }
        const told = sets.flatMap(({ records }) => records.map(({ data }) => ('address' in data ? data.address : '')));
        expect(told.sort()).toEqual([...new Set(addresses.map((one) => one.address))].sort());
      }),
    );
  });
});
