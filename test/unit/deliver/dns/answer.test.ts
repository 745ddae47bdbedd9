import { describe, expect, it } from 'vitest';
import { a, apex, asking, cname, named, queryOf, soa, tableOf, txt, zoneOf } from './answering.ts';

const denial =
  'zone.test 5 SOA {"mname":"ns.zone.test","rname":"hostmaster.zone.test","serial":7,"refresh":1,"retry":2,"expire":3,"minimum":5}';

const { ask, give } = asking(
  zoneOf(
    named('web.zone.test', [a('10.0.0.1'), a('10.0.0.2'), { type: 'AAAA', address: 'fd00::1' }, txt('two serve')]),
    named('deep.empty.zone.test', [a('10.0.0.3')]),
    named('empty.zone.test', []),
  ),
);

describe('an answer', () => {
  it('has the records of the name and type that were asked for, with authority', () => {
    const { code, answers, authorities, additionals, packet } = ask('web.zone.test');
    expect([code, answers]).toEqual(['NOERROR', ['web.zone.test 60 A 10.0.0.1', 'web.zone.test 60 A 10.0.0.2']]);
    expect([authorities, additionals, packet.flag_aa, packet.flag_tc]).toEqual([[], [], true, false]);
    expect(ask('web.zone.test', 'AAAA').answers).toEqual(['web.zone.test 60 AAAA fd00::1']);
    expect(ask('web.zone.test', 'TXT').answers).toEqual(['web.zone.test 60 TXT two serve']);
  });

  it('has the id and the question as it was sent, also its case, and names are found in any case', () => {
    const query = queryOf('wEB.Zone.TEST', 'A', { id: 54_321 });
    const told = give(query);
    if (typeof told !== 'object') throw new Error('no reply');
    expect(told.packet.id).toBe(54_321);
    expect(told.bytes.subarray(12, query.length)).toEqual(query.subarray(12));
    expect(told.answers).toHaveLength(2);
  });

  it('begins each record with a pointer to the question', () => {
    const query = queryOf('web.zone.test');
    const { bytes } = ask('web.zone.test');
    expect(bytes.readUInt16BE(query.length)).toBe(0xc00c);
    expect(bytes).toHaveLength(query.length + 2 * 16);
  });

  it('says NXDOMAIN for names that are not there, with the SOA of their zone and its negative TTL', () => {
    for (const name of ['nobody.zone.test', 'a.b.c.zone.test', 'below.web.zone.test']) {
      const { code, answers, authorities, packet } = ask(name);
      expect([name, code, answers, authorities]).toEqual([name, 'NXDOMAIN', [], [denial]]);
      expect(packet.flag_aa).toBe(true);
    }
  });

  it('says that there is no such data for types that a name lacks, also for names that only have others below', () => {
    for (const [name, type] of [
      ['web.zone.test', 'MX'],
      ['web.zone.test', 4711],
      ['empty.zone.test', 'A'],
      ['empty.zone.test', 'ANY'],
      ['zone.test', 'A'],
    ] as const) {
      const { code, answers, authorities } = ask(name, type);
      expect([name, code, answers, authorities]).toEqual([name, 'NOERROR', [], [denial]]);
    }
  });

  it('keeps a negative answer no longer than the SOA itself lives', () => {
    const short = { ...soa(), negativeTtlSeconds: 900 };
    expect(asking(tableOf({ key: 'z', names: [named(apex, [short])] })).ask('x.zone.test').authorities[0]).toContain(
      'zone.test 60 SOA',
    );
  });

  it('does without a SOA while the chapter of the zone is not there yet', () => {
    const lone = asking(tableOf({ key: 'web', names: [named('web.zone.test', [a('10.0.0.1')])] }));
    expect(lone.ask('web.zone.test', 'MX')).toMatchObject({ code: 'NOERROR', authorities: [] });
    expect(lone.ask('zone.test').code).toBe('REFUSED');
  });

  it('gives one small record for ANY, and the CNAME where there is one', () => {
    expect(ask('web.zone.test', 'ANY').answers).toEqual(['web.zone.test 3600 HINFO {"cpu":"RFC8482","os":""}']);
    const aliased = asking(
      zoneOf(named('www.zone.test', [cname('web.zone.test')]), named('web.zone.test', [a('10.0.0.1')])),
    );
    expect(aliased.ask('www.zone.test', 'ANY').answers).toEqual(['www.zone.test 60 CNAME web.zone.test']);
  });

  it('tells SOA and NS at the apex, with the addresses of name servers that are ours', () => {
    const zone = asking(
      tableOf({
        key: 'zone',
        names: [
          named(apex, [soa(), { type: 'NS', target: 'ns.zone.test' }, { type: 'NS', target: 'ns.elsewhere.test' }]),
          named('ns.zone.test', [a('10.9.9.9'), { type: 'AAAA', address: 'fd00::9' }]),
        ],
      }),
    );
    expect(zone.ask(apex, 'SOA').answers).toEqual([denial.replace(' 5 SOA', ' 60 SOA')]);
    const { answers, additionals } = zone.ask('ZONE.test', 'NS');
    expect(answers).toEqual(['ZONE.test 60 NS ns.zone.test', 'ZONE.test 60 NS ns.elsewhere.test']);
    expect(additionals).toEqual(['ns.zone.test 60 A 10.9.9.9', 'ns.zone.test 60 AAAA fd00::9']);
  });

  it('gives the addresses of the hosts that SRV records name along with them, once each', () => {
    const srv = (target: string, port: number) => ({ type: 'SRV', priority: 10, weight: 5, port, target }) as const;
    const host = named('slot-1.web.zone.test', [a('10.0.0.1')]);
    const { ask: askHosts } = asking(
      zoneOf(
        named('web.zone.test', [
          srv('slot-1.web.zone.test', 80),
          srv('slot-1.web.zone.test', 81),
          srv('other.elsewhere.test', 80),
        ]),
        host,
      ),
    );
    const { answers, additionals } = askHosts('web.zone.test', 'SRV');
    expect(answers[0]).toBe(
      'web.zone.test 60 SRV {"priority":10,"weight":5,"port":80,"target":"slot-1.web.zone.test"}',
    );
    expect(answers).toHaveLength(3);
    expect(additionals).toEqual(['slot-1.web.zone.test 60 A 10.0.0.1']);
  });

  it('refuses what is in no zone of ours', () => {
    for (const name of ['elsewhere.test', 'test', '', 'zone.test.elsewhere', 'otherzone.test']) {
      const { code, answers, authorities, packet } = ask(name);
      expect([name, code, answers, authorities, packet.flag_aa]).toEqual([name, 'REFUSED', [], [], false]);
    }
  });
});
