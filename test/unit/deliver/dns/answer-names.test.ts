import { describe, expect, it } from 'vitest';
import { a, asking, cname, named, queryOf, txt, zoneOf } from './answering.ts';

describe('a wildcard', () => {
  const { ask } = asking(
    zoneOf(
      named('*.zone.test', [a('10.0.0.9'), txt('anybody')]),
      named('web.zone.test', [a('10.0.0.1')]),
      named('host.sub.zone.test', [a('10.0.0.2')]),
      named('sub.zone.test', []),
      named('*.alias.zone.test', [cname('web.zone.test')]),
      named('alias.zone.test', []),
    ),
  );

  it('answers in the name that was asked for, however many labels it stands for', () => {
    expect(ask('any.zone.test').answers).toEqual(['any.zone.test 60 A 10.0.0.9']);
    expect(ask('a.b.c.zone.test', 'TXT').answers).toEqual(['a.b.c.zone.test 60 TXT anybody']);
  });

  it('does not answer for names that exist, for what they lack, or for what is below them (RFC 4592)', () => {
    expect(ask('web.zone.test').answers).toEqual(['web.zone.test 60 A 10.0.0.1']);
    expect(ask('web.zone.test', 'TXT')).toMatchObject({ code: 'NOERROR', answers: [] });
    expect(ask('below.web.zone.test').code).toBe('NXDOMAIN');
    expect(ask('sub.zone.test')).toMatchObject({ code: 'NOERROR', answers: [] });
    expect(ask('other.sub.zone.test').code).toBe('NXDOMAIN');
    expect(ask('zone.test')).toMatchObject({ code: 'NOERROR', answers: [] });
  });

  it('lacks types like any other name', () => {
    const { code, answers, authorities } = ask('any.zone.test', 'MX');
    expect([code, answers]).toEqual(['NOERROR', []]);
    expect(authorities[0]).toContain('zone.test 5 SOA');
  });

  it('is a name that can be asked for itself', () => {
    expect(ask('*.zone.test').answers).toEqual(['*.zone.test 60 A 10.0.0.9']);
    expect(ask('any.*.zone.test').code).toBe('NXDOMAIN');
  });

  it('may lead to another name', () => {
    expect(ask('www.alias.zone.test').answers).toEqual([
      'www.alias.zone.test 60 CNAME web.zone.test',
      'web.zone.test 60 A 10.0.0.1',
    ]);
  });
});

describe('a CNAME', () => {
  const { ask } = asking(
    zoneOf(
      named('web.zone.test', [a('10.0.0.1'), txt('web')]),
      named('www.zone.test', [cname('WEB.zone.test')]),
      named('far.zone.test', [cname('www.zone.test')]),
      named('out.zone.test', [cname('host.elsewhere.test')]),
      named('dead.zone.test', [cname('nobody.zone.test')]),
      named('round.zone.test', [cname('about.zone.test')]),
      named('about.zone.test', [cname('round.zone.test')]),
      named('self.zone.test', [cname('self.zone.test')]),
      ...Array.from({ length: 10 }, (_, n) => named(`n${n}.zone.test`, [cname(`n${n + 1}.zone.test`)])),
      named('n10.zone.test', [a('10.0.0.10')]),
    ),
  );

  it('is given with the records of the name that it leads to, and alone when it is asked for', () => {
    expect(ask('www.zone.test').answers).toEqual([
      'www.zone.test 60 CNAME WEB.zone.test',
      'WEB.zone.test 60 A 10.0.0.1',
    ]);
    expect(ask('far.zone.test', 'TXT').answers).toEqual([
      'far.zone.test 60 CNAME www.zone.test',
      'www.zone.test 60 CNAME WEB.zone.test',
      'WEB.zone.test 60 TXT web',
    ]);
    expect(ask('www.zone.test', 'CNAME').answers).toEqual(['www.zone.test 60 CNAME WEB.zone.test']);
  });

  it('is all that is told of names that are not ours', () => {
    expect(ask('out.zone.test')).toMatchObject({
      code: 'NOERROR',
      answers: ['out.zone.test 60 CNAME host.elsewhere.test'],
      authorities: [],
    });
  });

  it('ends with the code of its last name, and the SOA of that zone (RFC 6604, RFC 2308)', () => {
    const dead = ask('dead.zone.test');
    expect([dead.code, dead.answers]).toEqual(['NXDOMAIN', ['dead.zone.test 60 CNAME nobody.zone.test']]);
    const lacking = ask('far.zone.test', 'MX');
    expect([lacking.code, lacking.answers.length]).toEqual(['NOERROR', 2]);
    for (const { authorities } of [dead, lacking]) expect(authorities[0]).toContain('zone.test 5 SOA');
  });

  it('that comes round ends there', () => {
    expect(ask('round.zone.test').answers).toEqual([
      'round.zone.test 60 CNAME about.zone.test',
      'about.zone.test 60 CNAME round.zone.test',
    ]);
    expect(ask('self.zone.test').answers).toEqual(['self.zone.test 60 CNAME self.zone.test']);
  });

  it('is followed eight times', () => {
    expect(ask('n2.zone.test').answers.at(-1)).toBe('n10.zone.test 60 A 10.0.0.10');
    expect(ask('n1.zone.test').answers).toHaveLength(8);
    expect(ask('n1.zone.test').answers.at(-1)).toBe('n8.zone.test 60 CNAME n9.zone.test');
  });
});

describe('with forwarding', () => {
  const table = zoneOf(
    named('web.zone.test', [a('10.0.0.1')]),
    named('har.zone.test', [a('10.0.0.2')], { otherTypes: 'forward' }),
    named('down.zone.test', [], { otherTypes: 'forward' }),
    named('known.zone.test', [], { otherTypes: 'foreign' }),
    named('www.zone.test', [cname('har.zone.test')]),
  );
  const { give, ask } = asking(table, true);
  const alone = asking(table);

  it('what is not ours is asked of others, and the replies say that this is to be had', () => {
    expect(give(queryOf('elsewhere.test'))).toBe('later');
    expect(ask('web.zone.test').packet.flag_ra).toBe(true);
    expect(alone.ask('web.zone.test').packet.flag_ra).toBe(false);
    expect(ask('nobody.zone.test').code).toBe('NXDOMAIN');
  });

  it('types that a name lacks are asked of others where that is wanted, but addresses are ours', () => {
    expect(give(queryOf('har.zone.test', 'MX'))).toBe('later');
    expect(ask('web.zone.test', 'MX').code).toBe('NOERROR');
    expect(ask('har.zone.test').answers).toHaveLength(1);
    for (const [name, type] of [
      ['har.zone.test', 'AAAA'],
      ['down.zone.test', 'A'],
    ] as const) {
      expect(ask(name, type)).toMatchObject({ code: 'NOERROR', answers: [] });
    }
    expect(alone.ask('har.zone.test', 'MX').code).toBe('NOERROR');
  });

  it('a name may stand for what others know, addresses too', () => {
    for (const type of ['A', 'AAAA', 'MX'] as const) expect(give(queryOf('known.zone.test', type))).toBe('later');
  });

  it('a CNAME is told without the types that others have', () => {
    expect(ask('www.zone.test', 'MX')).toMatchObject({
      answers: ['www.zone.test 60 CNAME har.zone.test'],
      authorities: [],
    });
  });
});
