import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dnsSchema,
  domainName,
  networkList,
  parseEndpoint,
  serviceDnsSchema,
} from '../../../../src/deliver/dns/config.ts';

const saidOf = (block: object) => {
  const { error } = dnsSchema.safeParse(block);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
};

describe('the dns block', () => {
  it('has defaults that a stranger can start with: unprivileged, close by, short-lived, nothing forwarded', () => {
    expect(dnsSchema.parse({})).toMatchObject({
      listen: [{ host: '127.0.0.1', port: 8053 }],
      ttlSeconds: 5,
      doubtTtlSeconds: 1,
      negativeTtlSeconds: 5,
      nameServers: [],
      aliases: {},
      otherTypes: 'nodata',
      rateLimit: { perSecond: 200, slip: 2, ipv4Prefix: 24, ipv6Prefix: 56 },
      tcp: { maxConnections: 256, idleSeconds: 10 },
      transport: 'auto',
    });
    expect(dnsSchema.parse({}).forward).toBeUndefined();
    expect(serviceDnsSchema.parse({})).toEqual({ publish: true });
  });

  it('listens on several addresses of both families', () => {
    expect(dnsSchema.parse({ listen: ['0.0.0.0:53', '[::1]:5353'] }).listen).toEqual([
      { host: '0.0.0.0', port: 53 },
      { host: '::1', port: 5353 },
    ]);
    for (const wrong of ['127.0.0.1', '53', 'localhost:53', '::1:53', '[127.0.0.1]:53', '127.0.0.1:65536', '']) {
      expect(saidOf({ listen: [wrong] }), wrong).toBe('listen.0: expected address:port or [IPv6]:port');
    }
    expect(saidOf({ listen: [] })).toMatch(/^listen: /);
  });

  it('forwards to servers on port 53 where none is named', () => {
    const forward = { to: ['192.0.2.53', '192.0.2.54:5353', '2001:db8::53', '[2001:db8::54]:5353'] };
    expect(dnsSchema.parse({ forward }).forward?.to).toEqual([
      { host: '192.0.2.53', port: 53 },
      { host: '192.0.2.54', port: 5353 },
      { host: '2001:db8::53', port: 53 },
      { host: '2001:db8::54', port: 5353 },
    ]);
    expect(saidOf({ forward: { to: ['dns.example.org'] } })).toContain('forward.to.0: expected an address');
    expect(saidOf({ forward: { to: ['192.0.2.53:0'] } })).toContain('forward.to.0: expected an address');
    expect(saidOf({ forward: { to: [] } })).toMatch(/^forward\.to: /);
  });

  it('lets those ask further who are near: loopback, private and link-local networks', () => {
    const { allow } = dnsSchema.parse({ forward: { to: ['192.0.2.53'] } }).forward ?? {};
    const list = networkList(allow ?? []);
    const isNear = (address: string) => list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
    for (const near of [
      '127.0.0.9',
      '10.1.2.3',
      '172.31.0.1',
      '192.168.9.9',
      '169.254.1.1',
      '::1',
      'fd00::1',
      'fe80::9',
    ])
      expect(isNear(near), near).toBe(true);
    for (const far of ['8.8.8.8', '172.32.0.1', '100.64.0.1', '192.0.2.1', '2001:db8::1'])
      expect(isNear(far), far).toBe(false);
  });

  it('refuses networks that are none, and addresses that mean nothing to others', () => {
    for (const wrong of ['10.0.0.0/33', '10.0.0.0/', '::/129', 'near', '10.0.0.0/8/8', 'fe80::1%eth0'])
      expect(saidOf({ rateLimit: { exempt: [wrong] } }), wrong).toContain('expected an address or a network');
    expect(saidOf({ nameServers: [{ name: 'ns.example.org', addresses: ['fe80::1%eth0'] }] })).toContain(
      'expected an IP',
    );
  });

  it('takes one of three things for what nobody declared', () => {
    for (const right of [{ service: 'web' }, { addresses: ['192.0.2.1', '2001:db8::1'] }, { name: 'www.example.org' }])
      expect(dnsSchema.parse({ undeclared: right }).undeclared).toEqual(right);
    for (const wrong of [{}, { service: 'web', name: 'a.b' }, 'web'])
      expect(saidOf({ undeclared: wrong })).toContain(
        'undeclared: expected service: NAME, addresses: [...] or name: DOMAIN',
      );
  });

  it('says what is wrong within the one that was meant', () => {
    expect(saidOf({ undeclared: { addresses: [] } })).toMatch(/^undeclared\.addresses: /);
    expect(saidOf({ undeclared: { addresses: ['web'] } })).toBe('undeclared.addresses.0: expected an IP address');
    expect(saidOf({ undeclared: { name: 'a b' } })).toContain('undeclared.name: expected a domain name');
  });

  it('reads aliases with a dot at the end or without', () => {
    const { aliases } = dnsSchema.parse({ aliases: { 'www.example.org.': 'web.svc.example.org.' } });
    expect(aliases).toEqual({ 'www.example.org': 'web.svc.example.org' });
  });
});

describe('a domain name', () => {
  it.each([
    'a',
    'ha.local',
    '_sip._tcp.example.org',
    'EXAMPLE.org',
    `${'a'.repeat(63)}.b`,
    'x-1.y',
    '127.in-addr.arpa',
  ])('may be %s', (name) => expect(domainName.parse(name)).toBe(name));

  it.each([
    '',
    '.',
    '..',
    'a..b',
    '.a',
    '-a',
    'a b',
    'ä.org',
    '*.a',
    `${'a'.repeat(64)}.b`,
    `${'a.'.repeat(127)}aa`,
    'a..',
  ])('is not %j', (name) => expect(domainName.safeParse(name).success).toBe(false));

  it('is judged in no time, however it is made', () => {
    // A rule with two ways to read the same text would take for ever here.
    expect(domainName.safeParse(`${'a'.repeat(100_000)}!`).success).toBe(false);
    expect(domainName.safeParse(`${'a.'.repeat(50_000)}!`).success).toBe(false);
  });
});

describe('an address with a port', () => {
  it('is read as it is written, of both families', () => {
    const endpoint = fc.record({
      host: fc.oneof(fc.ipV4(), fc.ipV6()),
      port: fc.integer({ min: 0, max: 65_535 }),
    });
    fc.assert(
      fc.property(endpoint, ({ host, port }) => {
        const text = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
        expect(parseEndpoint(text)).toEqual({ host, port });
        expect(parseEndpoint(host, 53)).toEqual({ host, port: 53 });
        expect(parseEndpoint(host)).toBeUndefined();
      }),
    );
  });
});
