import { describe, expect, it } from 'vitest';
import type { ServiceName } from '../../../../src/deliver/dns/records/zones.ts';
import type { DrainingSlot } from '../../../../src/model/slot.ts';
import { down, list, serviceTexts, slot, webName, webTexts } from '../../../fixtures/dns-records.ts';
import { startAt, taken, target } from '../../../fixtures/lists.ts';

describe('what DNS says of a service', () => {
  it('is its addresses, where they listen, its state in words, and each slot under its own name', () => {
    const snapshot = list(
      slot(1),
      slot(2, { weight: 3 }, { address: '2001:db8::2' }),
      slot(3, { health: down, out: 'down' }),
    );
    expect(serviceTexts({ snapshot })).toEqual({
      'web.ha.local': [
        'A 5 turns: 10.0.0.1',
        'AAAA 5 turns: 2001:db8::2',
        'SRV 5 turns: 65535 10 8080 slot-1.web.ha.local, 65535 3 8080 slot-2.web.ha.local',
        'TXT 5: web: 2 of 3 targets serve, revision 12 of 2023-11-14T22:13:20Z, 1 down',
      ],
      'slot-1.web.ha.local': ['A 5: 10.0.0.1', 'TXT 5: 10.0.0.1:8080 up, weight 10'],
      'slot-2.web.ha.local': ['AAAA 5: 2001:db8::2', 'TXT 5: [2001:db8::2]:8080 up, weight 3'],
      'slot-3.web.ha.local': [
        'A 5: 10.0.0.3',
        'TXT 5: 10.0.0.3:8080 down (timeout) since 2023-11-14T22:13:20Z, no traffic',
      ],
    });
  });

  it('is, before there was any list, that there was none', () => {
    expect(serviceTexts({})).toEqual({ 'web.ha.local': ['TXT 5: web: no list was ever published'] });
  });

  it('is no address of whom nobody should ask', () => {
    const draining: DrainingSlot = {
      state: 'draining',
      index: 5,
      target: target('t5'),
      joinedAt: 0,
      weight: 9,
      drainUntil: startAt,
    };
    const out = [slot(2, { out: 'standby' }), slot(3, { override: 'maint' }), slot(4, { override: 'drain' }), draining];
    const names = serviceTexts({ snapshot: list(slot(1, { override: 'ready' }), ...out, slot(6, { weight: 0 })) });
    expect(names['web.ha.local']).toEqual([
      'A 5 turns: 10.0.0.1',
      'SRV 5 turns: 65535 10 8080 slot-1.web.ha.local',
      expect.stringContaining(
        '1 of 5 targets serves, revision 12 of 2023-11-14T22:13:20Z, 1 standing by, 2 taken out by an operator, 1 draining',
      ),
    ]);
    const wordsOf = (index: number) => names[`slot-${index}.web.ha.local`]?.[1];
    expect([2, 3, 4, 5, 6].map(wordsOf)).toEqual([
      'TXT 5: 10.0.0.2:8080 up, standing by, no traffic',
      'TXT 5: 10.0.0.3:8080 up, in maintenance, no traffic',
      'TXT 5: 10.0.0.4:8080 up, drained by an operator, no traffic',
      'TXT 5: 10.0.0.5 draining until 2023-11-14T22:13:20Z',
      'TXT 5: 10.0.0.6:8080 up, no traffic',
    ]);
  });

  it('holds notes, and says of a held removal that it is held', () => {
    const hold = { token: 'hold-1', sinceAt: startAt, targets: ['a', 'b'] };
    const [words] = webTexts(
      { snapshot: { ...list(slot(1)), hold }, notes: ['the store is silent since noon'] },
      'TXT',
    );
    expect(words).toContain('a removal of 2 targets is held back, hold-1, the store is silent since noon');
  });

  it('is the same at every name, its slots below each, and SRV alone at _NAME._tcp', () => {
    const own: ServiceName = {
      kind: 'service',
      name: 'Shop.example.com',
      base: 'Shop.example.com',
      apex: 'example.com',
    };
    const srv: ServiceName = { kind: 'srv', name: '_web._tcp.ha.local', base: 'web.ha.local', apex: 'ha.local' };
    const wildcard: ServiceName = { ...webName, kind: 'undeclared', name: '*.ha.local' };
    const names = serviceTexts({ names: [webName, own, srv, wildcard], snapshot: list(slot(1)) });
    expect(Object.keys(names).sort()).toEqual(
      [
        '*.ha.local',
        'Shop.example.com',
        '_web._tcp.ha.local',
        'slot-1.Shop.example.com',
        'slot-1.web.ha.local',
        'web.ha.local',
      ].sort(),
    );
    expect(names['_web._tcp.ha.local']).toEqual(['SRV 5 turns: 65535 10 8080 slot-1.web.ha.local']);
    expect(names['*.ha.local']).toEqual(names['web.ha.local']);
    expect(names['Shop.example.com']?.[1]).toBe('SRV 5 turns: 65535 10 8080 slot-1.Shop.example.com');
  });

  it('has SOA and NS beside it where the name is the apex of a zone', () => {
    const zone = {
      apex: 'web.ha.local',
      nameServers: [{ name: 'ns.web.ha.local', addresses: [] }],
      negativeTtlSeconds: 3,
    };
    const names = serviceTexts({ names: [{ ...webName, apex: 'web.ha.local', zone }], snapshot: list(slot(1)) });
    expect(names['web.ha.local']?.slice(-2)).toEqual([
      'SOA 3: ns.web.ha.local hostmaster.web.ha.local 1700000000 3600 600 604800 3',
      'NS 300: ns.web.ha.local',
    ]);
  });

  it('is nothing but addresses where other servers know the other types', () => {
    const beyond: ServiceName = { ...webName, kind: 'beyond', name: '*.web.ha.local' };
    const input = { names: [webName, beyond], snapshot: list(slot(1)), rules: { otherTypes: 'forward' } } as const;
    expect(serviceTexts(input)).toMatchObject({ 'web.ha.local': ['A 5 turns: 10.0.0.1'], '*.web.ha.local': [] });
  });
});

describe('the order of the answers', () => {
  it('is by weight where the selection is, each address with all that it stands for', () => {
    const snapshot = list(slot(1, { weight: 4 }), slot(2, { weight: 2 }, { address: '10.0.0.1', port: 8081 }), slot(3));
    expect(webTexts({ snapshot, rules: { order: 'weighted', answers: 1 } }, 'A')).toEqual([
      'A 5 weighted 1: 10.0.0.1 x6, 10.0.0.3 x10',
    ]);
  });

  it('is by rank where there is one, and those without rank are left out', () => {
    const snapshot = list(slot(1), slot(2), slot(3));
    const nearest = { snapshot, rank: ['t3', 't1', 'gone', 't3'], rules: { order: 'fixed', answers: 1 } } as const;
    expect(webTexts(nearest, 'A')).toEqual(['A 5 1: 10.0.0.3, 10.0.0.1']);
    expect(webTexts(nearest, 'SRV')).toEqual(['SRV 5: 0 10 8080 slot-3.web.ha.local, 1 10 8080 slot-1.web.ha.local']);
    expect(webTexts(nearest, 'TXT')[0]).toContain(
      '3 of 3 targets serve, 2 of those that serve answer here, the nearest',
    );
  });

  it('is that of the slots while no rank is known, and when all that had one are gone', () => {
    const snapshot = list(slot(1), slot(2));
    const rules = { order: 'fixed', answers: 1 } as const;
    for (const rank of [undefined, [], ['gone']])
      expect(webTexts({ snapshot, rules, ...(rank && { rank }) }, 'A')).toEqual(['A 5 1: 10.0.0.1, 10.0.0.2']);
  });

  it('asks those of higher priority first, in the sense that SRV has', () => {
    const snapshot = list(slot(1), slot(2, {}, { priority: 7 }), slot(3, {}, { priority: 65_535 }));
    const [srv] = webTexts({ snapshot }, 'SRV');
    expect(srv).toBe(
      'SRV 5 turns: 65535 10 8080 slot-1.web.ha.local, 65528 10 8080 slot-2.web.ha.local, 0 10 8080 slot-3.web.ha.local',
    );
  });

  it('names in SRV the port of the service where a target has none, and nobody where that is unknown', () => {
    const [{ port: _, ...bare }] = [target('t1', { port: 1 })];
    const snapshot = list(taken(1, bare), slot(2));
    expect(webTexts({ snapshot }, 'SRV')).toEqual(['SRV 5 turns: 65535 10 8080 slot-2.web.ha.local']);
    expect(webTexts({ snapshot, rules: { defaultPort: 80 } }, 'SRV')[0]).toContain('65535 10 80 slot-1.web.ha.local');
  });
});
