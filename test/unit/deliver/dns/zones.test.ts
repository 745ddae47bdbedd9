import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithin, layOutNames, type NamedService, type ZoneRules } from '../../../../src/deliver/dns/records/zones.ts';

const zoneRules = (fields: Partial<ZoneRules> = {}): ZoneRules => ({
  domain: 'svc.example.org',
  listen: [{ host: '192.0.2.1' }],
  ttlSeconds: 5,
  negativeTtlSeconds: 5,
  nameServers: [],
  aliases: {},
  otherTypes: 'nodata',
  ...fields,
});

const service = (name: string, domain?: string, dns: Partial<NamedService['dns']> = {}): NamedService => ({
  name,
  ...(domain === undefined ? {} : { domain }),
  dns: { publish: true, ...dns },
});

const namesOf = (services: readonly NamedService[], name: string, fields: Partial<ZoneRules> = {}) =>
  layOutNames(zoneRules(fields), services)
    .namesOf(name)
    .map((one) => `${one.kind} ${one.name} in ${one.apex}`);

const apexesOf = (services: readonly NamedService[], fields: Partial<ZoneRules> = {}) =>
  layOutNames(zoneRules(fields), services).zones.map(({ apex, owner }) =>
    owner === undefined ? apex : `${apex} of ${owner}`,
  );

describe('the names of a service', () => {
  it('are NAME and _NAME._tcp below the domain, and its own', () => {
    expect(namesOf([service('web', 'shop.example.com')], 'web')).toEqual([
      'service web.svc.example.org in svc.example.org',
      'srv _web._tcp.svc.example.org in svc.example.org',
      'service shop.example.com in shop.example.com',
    ]);
  });

  it('are its own alone where there is no domain for all', () => {
    expect(namesOf([service('web', 'shop.example.com')], 'web', { domain: undefined })).toEqual([
      'service shop.example.com in shop.example.com',
    ]);
  });

  it('are told once where both are the same', () => {
    expect(namesOf([service('web', 'WEB.svc.example.org')], 'web')).toHaveLength(2);
  });

  it('are none where it is not published, or not known', () => {
    expect(namesOf([service('web', 'shop.example.com', { publish: false })], 'web')).toEqual([]);
    expect(namesOf([], 'web')).toEqual([]);
  });

  it('have no _NAME._tcp where that is more than one label, or too long for one', () => {
    for (const name of ['a.b', 'x'.repeat(63)]) expect(namesOf([service(name)], name).join()).not.toContain('srv');
  });

  it('hold the wildcard where the service stands for what nobody declared', () => {
    const names = namesOf([service('web'), service('api')], 'api', { undeclared: { service: 'api' } });
    expect(names).toContain('undeclared *.svc.example.org in svc.example.org');
    expect(namesOf([service('web'), service('api')], 'web', { undeclared: { service: 'api' } })).toHaveLength(2);
  });

  it('leave what lies below a domain of its own to others, where other types are theirs too', () => {
    const beyond = 'beyond *.api.example.com in api.example.com';
    expect(namesOf([service('api', 'api.example.com', { otherTypes: 'forward' })], 'api')).toContain(beyond);
    expect(namesOf([service('api', 'api.example.com')], 'api', { otherTypes: 'forward' })).toContain(beyond);
    expect(namesOf([service('api', 'api.example.com')], 'api')).not.toContain(beyond);
    // What lies below dns.domain is ours, and so is what is not there.
    expect(namesOf([service('api', 'x.svc.example.org', { otherTypes: 'forward' })], 'api').join()).not.toContain(
      'beyond',
    );
  });
});

describe('the zones', () => {
  it('are the domain, and every domain of a service that lies in no other', () => {
    const services = [
      service('web', 'www.example.com'),
      service('shop', 'example.com'),
      service('api', 'api.svc.example.org'),
      service('far', 'far.example.net'),
    ];
    expect(apexesOf(services)).toEqual(['svc.example.org', 'example.com of shop', 'far.example.net of far']);
  });

  it('may have the name of a service as their apex', () => {
    expect(apexesOf([service('web', 'svc.example.org')])).toEqual(['svc.example.org of web']);
    const { zone } = layOutNames(zoneRules(), [service('web', 'svc.example.org')]).namesOf('web')[2] ?? {};
    expect(zone?.apex).toBe('svc.example.org');
  });

  it('lie within each other where the domain for all lies in that of a service', () => {
    const layout = layOutNames(zoneRules(), [service('site', 'example.org')]);
    expect(layout.zoneOf('web.svc.example.org')?.apex).toBe('svc.example.org');
    expect(layout.zoneOf('www.example.org')?.apex).toBe('example.org');
    expect(layout.zoneOf('example.com')).toBeUndefined();
  });

  it('have ns below them with the addresses that are listened on, but for those that mean all', () => {
    const listen = ['0.0.0.0', '192.0.2.1', '::', '2001:db8::1', '192.0.2.1'].map((host) => ({ host }));
    expect(layOutNames(zoneRules({ listen }), []).zones[0]?.nameServers).toEqual([
      { name: 'ns.svc.example.org', addresses: ['192.0.2.1', '2001:db8::1'] },
    ]);
    const nameServers = [{ name: 'ns1.example.net', addresses: [] }];
    expect(layOutNames(zoneRules({ nameServers }), []).zones[0]?.nameServers).toEqual(nameServers);
  });
});

describe('names between', () => {
  it('are those that only exist because others lie below them', () => {
    const services = [
      service('web'),
      service('a.b.c'),
      service('far', 'x.y.example.com'),
      service('near', 'example.com'),
    ];
    const { between } = layOutNames(zoneRules({ aliases: { 'q.r.svc.example.org': 'web.svc.example.org' } }), services);
    expect([...between].sort()).toEqual([
      '_tcp.svc.example.org',
      'b.c.svc.example.org',
      'c.svc.example.org',
      'r.svc.example.org',
      'y.example.com',
    ]);
  });

  it('with the others are closed upwards to the apex, and belong to nobody', () => {
    const label = fc.constantFrom('a', 'b', 'C');
    const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join('.')}.org`);
    const services = fc
      .uniqueArray(fc.record({ name: domain, domain: fc.option(domain, { nil: undefined }) }), {
        selector: ({ name }) => name,
      })
      .map((list) => list.map((one) => service(one.name, one.domain)));
    fc.assert(
      fc.property(services, fc.option(domain, { nil: undefined }), (list, of) => {
        const layout = layOutNames(zoneRules({ domain: of }), list);
        const names = layout.serviceNames.flatMap((one) => one.names.map(({ name }) => name.toLowerCase()));
        const all = new Set([...names, ...layout.between, ...layout.zones.map(({ apex }) => apex.toLowerCase())]);
        for (const name of names) {
          const apex = layout.zoneOf(name)?.apex ?? '';
          expect(isWithin(name, apex)).toBe(true);
          for (let up = name; up !== apex.toLowerCase(); up = up.slice(up.indexOf('.') + 1)) expect(all).toContain(up);
        }
        for (const name of layout.between) expect(layout.isOfService(name)).toBe(false);
      }),
    );
  });
});
