import { type DecodedPacket, decode, type RecordType } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { createAnswerer } from '../../../../src/deliver/dns/answer/answer.ts';
import { createTable } from '../../../../src/deliver/dns/answer/table.ts';
import { dnsSchema } from '../../../../src/deliver/dns/config.ts';
import { compileChapter } from '../../../../src/deliver/dns/records/compile.ts';
import { serviceChapter } from '../../../../src/deliver/dns/records/service-records.ts';
import { zoneChapter } from '../../../../src/deliver/dns/records/zone-records.ts';
import { layOutNames, type NamedService } from '../../../../src/deliver/dns/records/zones.ts';
import { askLater } from '../../../../src/deliver/dns/responder.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import { down, list, slot } from '../../../fixtures/dns-records.ts';
import { startAt } from '../../../fixtures/lists.ts';
import { queryFor } from './asking.ts';

interface Told extends NamedService {
  readonly snapshot?: Snapshot;
}

/** Asks a table that holds the services and their zones: `CODE: data, data`, or `asked of others`. */
function asking(block: object, services: readonly Told[]) {
  const dns = dnsSchema.parse(block);
  const layout = layOutNames(dns, services);
  const table = createTable();
  table.install(compileChapter(zoneChapter({ dns, layout, serial: 7 })));
  for (const { name, snapshot, dns: own } of services) {
    const rules = {
      ttlSeconds: 5,
      doubtTtlSeconds: 1,
      order: 'fixed',
      answers: 9,
      otherTypes: own.otherTypes ?? dns.otherTypes,
    } as const;
    table.install(compileChapter(serviceChapter({ service: name, names: layout.namesOf(name), snapshot, rules })));
  }
  table.settle(Number.POSITIVE_INFINITY);
  const answerer = createAnswerer(table, { forwards: dns.forward !== undefined });
  const reply = new Uint8Array(65_535);
  return (name: string, type: RecordType = 'A') => {
    const query = queryFor(name, { type });
    const length = answerer.answer(query, 0, query.length, 1232, reply);
    return length === askLater ? 'asked of others' : shown(decode(Buffer.from(reply.subarray(0, length))));
  };
}

function shown({ rcode, answers, authorities }: DecodedPacket & { rcode?: string }): string {
  const data = (answers ?? []).map((one) => ('data' in one ? JSON.stringify(one.data) : ''));
  const denied = (authorities ?? []).map((one) => ('name' in one ? `SOA of ${one.name}` : ''));
  return `${rcode}: ${[...data, ...denied].join(', ')}`;
}

const web: Told = { name: 'web', dns: { publish: true }, snapshot: list(slot(1), slot(2)) };

describe('the names of services and zones, asked for', () => {
  it('are found below the domain, in any case, and others are not', () => {
    const ask = asking({ domain: 'ha.local' }, [web, { ...web, name: 'a.b', domain: 'shop.example.org' }]);
    expect(ask('WEB.ha.LOCAL')).toBe('NOERROR: "10.0.0.1", "10.0.0.2"');
    expect(ask('shop.example.org')).toBe(ask('web.ha.local'));
    expect(ask('slot-2.web.ha.local')).toBe('NOERROR: "10.0.0.2"');
    expect(ask('slot-3.web.ha.local')).toBe('NXDOMAIN: SOA of ha.local');
    expect(ask('web.ha.local', 'AAAA')).toBe('NOERROR: SOA of ha.local');
    expect(ask('shop.example.org', 'MX')).toBe('NOERROR: SOA of shop.example.org');
    expect(ask('nobody.ha.local')).toBe('NXDOMAIN: SOA of ha.local');
    expect(ask('ns.ha.local')).toBe('NOERROR: "127.0.0.1"');
    for (const between of ['_tcp.ha.local', 'b.ha.local', 'ha.local'])
      expect(ask(between)).toBe('NOERROR: SOA of ha.local');
    expect(ask('example.org')).toBe('REFUSED: ');
    for (const apex of ['ha.local', 'shop.example.org']) expect(ask(apex, 'NS')).toBe(`NOERROR: "ns.${apex}"`);
    expect(ask('_web._tcp.ha.local', 'SRV')).toContain('"target":"slot-1.web.ha.local"');
  });

  it.each([
    [{ service: 'web' }, '"10.0.0.1", "10.0.0.2"'],
    [{ addresses: ['192.0.2.9'] }, '"192.0.2.9"'],
    [{ name: 'slot-1.web.ha.local' }, '"slot-1.web.ha.local", "10.0.0.1"'],
  ])('that nobody declared are %j', (undeclared, expected) => {
    const ask = asking({ domain: 'ha.local', undeclared }, [web]);
    for (const name of ['nobody.ha.local', 'no.body.ha.local']) expect(ask(name)).toBe(`NOERROR: ${expected}`);
    expect(ask('nobody.web.ha.local')).toBe('NXDOMAIN: SOA of ha.local');
  });

  it('lead on where they are aliases', () => {
    const ask = asking(
      { domain: 'ha.local', aliases: { 'www.ha.local': 'web.ha.local', 'far.ha.local': 'a.example.org' } },
      [web],
    );
    expect(ask('www.ha.local')).toBe('NOERROR: "web.ha.local", "10.0.0.1", "10.0.0.2"');
    expect(ask('far.ha.local', 'TXT')).toBe('NOERROR: "a.example.org"');
  });

  it("keep their addresses to themselves where the rest is other servers', also when there are none", () => {
    const forward = { to: ['192.0.2.53'] };
    const panic = { sinceAt: startAt, serves: 'none' } as const;
    const dark = { ...list(slot(1, { health: down, out: 'down' })), panic };
    const har = { publish: true, otherTypes: 'forward' } as const;
    const ask = asking({ domain: 'ha.local', forward }, [
      { name: 'api', domain: 'api.example.com', dns: har, snapshot: list(slot(1)) },
      { name: 'dark', domain: 'dark.example.com', dns: har, snapshot: dark },
      { ...web, dns: { publish: true, otherTypes: 'nodata' } },
    ]);
    expect(ask('api.example.com')).toBe('NOERROR: "10.0.0.1"');
    expect(ask('api.example.com', 'AAAA')).toBe('NOERROR: SOA of api.example.com');
    for (const name of ['dark.example.com', 'dark.ha.local']) expect(ask(name), name).toMatch(/^NOERROR: SOA of/);
    for (const type of ['MX', 'TXT', 'SRV'] as const) expect(ask('api.example.com', type)).toBe('asked of others');
    for (const type of ['A', 'AAAA', 'MX'] as const) expect(ask('www.api.example.com', type)).toBe('asked of others');
    expect(ask('slot-1.api.example.com')).toBe('NOERROR: "10.0.0.1"');
    expect(ask('web.ha.local', 'MX')).toBe('NOERROR: SOA of ha.local');
    expect(ask('nobody.ha.local')).toBe('NXDOMAIN: SOA of ha.local');
    expect(ask('example.com')).toBe('asked of others');
  });
});
