import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { showFault } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Roles } from '../../../src/config/rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsdo-config-dns-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Loads services, a line each, and a `dns:` block, a line each below it. */
function load(services: readonly string[], dns: readonly string[] | undefined, roles: Roles = {}) {
  const file = join(folder, 'env.yaml');
  const lines = ['services:', ...services.map((line) => `- { ${line} }`)];
  writeFileSync(file, [...lines, ...(dns === undefined ? [] : ['dns:', ...dns.map((line) => `  ${line}`)])].join('\n'));
  const { config, faults } = loadConfig({ file, env: {}, roles });
  return { config, faults: faults.map((fault) => showFault(fault).replaceAll(file, 'F')) };
}
const faultsOf = (...given: Parameters<typeof load>) => load(...given).faults;

describe('the dns block of a configuration', () => {
  it('gives every service a name below its domain, and each one may say more', () => {
    const { config, faults } = load(
      ['name: web', 'name: api, domain: api.example.org., dns: { ttlSeconds: 0, answers: all, otherTypes: forward }'],
      ['listen: ["127.0.0.1:0", "[::1]:0"]', 'domain: svc.example.org', 'forward: { to: [192.0.2.53] }'],
    );
    expect(faults).toEqual([]);
    expect(config?.services).toMatchObject([
      { name: 'web', dns: { publish: true } },
      { domain: 'api.example.org', dns: { ttlSeconds: 0, answers: 'all', otherTypes: 'forward' } },
    ]);
    expect(config?.dns).toMatchObject({
      domain: 'svc.example.org',
      forward: { to: [{ host: '192.0.2.53', port: 53 }] },
    });
  });

  it('is wanted where DNS is to be answered, and nowhere else', () => {
    const wanted =
      'F: dns: missing: --dns needs to know where to answer and for which names, such as dns: {domain: svc.example.org}';
    expect(faultsOf(['name: web'], undefined, { dns: true })).toEqual([wanted]);
    expect(faultsOf(['name: web'], undefined)).toEqual([]);
    expect(faultsOf(['name: web'], ['domain: ha.local'], { dns: true })).toEqual([]);
  });

  it('lets a client have services without any HAProxy, though not nothing to do', () => {
    const haproxy = 'haproxy: { backends: [{ name: a, baseName: b }] }';
    const [client, both] = [{ client: true }, { client: true, dns: true }];
    const idle = /^F:2: services\[0\]\.haproxy: missing: --client needs/;
    expect(faultsOf(['name: web'], ['domain: ha.local'], both)).toEqual([]);
    expect(faultsOf(['name: web'], ['domain: ha.local'], client)).toEqual([expect.stringMatching(idle)]);
    expect(faultsOf(['name: web', `name: db, ${haproxy}`], ['domain: ha.local'], client)).toEqual([]);
    const [nameless = ''] = faultsOf(['name: web', 'name: db, dns: { publish: false }'], ['domain: ha.local'], both);
    expect(nameless).toMatch(/^F:3: services\[1\]\.haproxy: missing: --client needs/);
    expect(faultsOf(['name: web'], undefined, client)).toHaveLength(1);
  });

  it('is of no use when no service has a name', () => {
    const fault = /^F:\d+: dns\.domain: missing: no service has a name in DNS/;
    expect(faultsOf(['name: web'], ['ttlSeconds: 1'])).toEqual([expect.stringMatching(fault)]);
    expect(faultsOf(['name: web, dns: { publish: false }'], ['domain: ha.local'])).toHaveLength(1);
    expect(faultsOf(['name: web, domain: a.b'], ['ttlSeconds: 1'])).toEqual([]);
  });

  it('is told every fault by line, value and what was expected', () => {
    const said = faultsOf(
      ['name: web, dns: { anwers: 2, ttlSeconds: -1 }'],
      ['listen: ["localhost:53"]', 'domian: a.b', 'otherTypes: drop'],
    );
    expect(said.join('\n')).toMatch(/F:2: services\[0\]\.dns\.anwers: no such parameter; did you mean answers\?/);
    expect(said.join('\n')).toMatch(/F:2: services\[0\]\.dns\.ttlSeconds: -1 is wrong/);
    expect(said.join('\n')).toMatch(/F:4: dns\.listen\[0\]: "localhost:53" is wrong: expected address:port/);
    expect(said.join('\n')).toMatch(/F:5: dns\.domian: no such parameter; did you mean domain\?/);
    expect(said.join('\n')).toMatch(/F:6: dns\.otherTypes: "drop" is wrong/);
  });
});

describe('a name in DNS', () => {
  it.each([
    [
      'of two services that differ in case alone',
      ['name: web', 'name: WEB'],
      [],
      'F:3: services[1].name: "WEB" is wrong: expected a name in DNS of its own: WEB.ha.local belongs to service "web"',
    ],
    [
      'of two domains',
      ['name: a, domain: x.example.org', 'name: b, domain: X.example.org'],
      [],
      'F:3: services[1].domain: "X.example.org" is wrong: expected a name in DNS of its own: X.example.org belongs to service "a"',
    ],
    [
      'of a service and the domain of another',
      ['name: a', 'name: b, domain: a.ha.local'],
      [],
      'F:3: services[1].domain: "a.ha.local" is wrong: expected a name in DNS of its own: a.ha.local belongs to service "a"',
    ],
    [
      'of the name server',
      ['name: ns'],
      [],
      `F:2: services[0].name: "ns" is wrong: expected a name in DNS of its own: ns.ha.local belongs to the zone's name server`,
    ],
    [
      'of a name server with an address',
      ['name: one'],
      ['nameServers: [{ name: one.ha.local, addresses: [192.0.2.1] }]'],
      `F:2: services[0].name: "one" is wrong: expected a name in DNS of its own: one.ha.local belongs to the zone's name server`,
    ],
    [
      'of a slot',
      ['name: slot-2.web', 'name: web'],
      [],
      'F:2: services[0].name: "slot-2.web" is wrong: expected a name in DNS of its own: slot-2.web.ha.local belongs to a slot of service "web"',
    ],
    [
      'of SRV records',
      ['name: web', 'name: _web._tcp'],
      [],
      'F:3: services[1].name: "_web._tcp" is wrong: expected a name in DNS of its own: _web._tcp.ha.local belongs to service "web"',
    ],
    [
      'of an alias and a service',
      ['name: web'],
      ['aliases: { Web.ha.local: a.example.org }'],
      'F:5: dns.aliases.Web.ha.local: "Web.ha.local" is wrong: expected a name in DNS of its own: Web.ha.local belongs to service "web"',
    ],
    [
      'of an alias and a slot',
      ['name: web'],
      ['aliases: { slot-9.web.ha.local: a.example.org }'],
      'F:5: dns.aliases.slot-9.web.ha.local: "slot-9.web.ha.local" is wrong: expected a name in DNS of its own: slot-9.web.ha.local belongs to a slot of service "web"',
    ],
    [
      'of an alias and the zone',
      ['name: web'],
      ['aliases: { ha.local: a.example.org }'],
      'F:5: dns.aliases.ha.local: "ha.local" is wrong: expected a name in DNS of its own: ha.local belongs to the zone',
    ],
  ])('has one owner: not that %s', (_, services, dns, expected) => {
    expect(faultsOf(services, ['domain: ha.local', ...dns])).toEqual([expected]);
  });

  it.each([
    [['name: web, domain: web.ha.local'], []],
    [['name: web, domain: ha.local'], []],
    [['name: web, size: 2', 'name: slot-3.web', 'name: slot-01.web'], []],
    [['name: web', 'name: web, dns: { publish: false }'].slice(0, 1), ['nameServers: [{ name: web.ha.local }]']],
    [['name: a.web', 'name: web'], ['aliases: { b.web.ha.local: web.ha.local }']],
    [['name: web', `name: ${'x'.repeat(63)}`], []],
  ])('may be told by %j with %j', (services, dns) => {
    expect(faultsOf(services, ['domain: ha.local', ...dns])).toEqual([]);
  });

  it.each(['a..b', '.a', 'a.', '-a', 'x'.repeat(64)])('cannot be made of a service called %s', (name) => {
    const [fault = ''] = faultsOf([`name: "${name}"`], ['domain: ha.local']);
    expect(fault).toContain(`F:2: services[0].name: "${name}" is wrong: expected what makes a name below ha.local`);
    expect(faultsOf([`name: "${name}", domain: a.example.org`, 'name: b'], ['ttlSeconds: 1'])).toEqual([]);
    expect(faultsOf([`name: "${name}", dns: { publish: false }`, 'name: b'], ['domain: ha.local'])).toEqual([]);
  });

  it('leaves room for what stands below it', () => {
    const long = [60, 60, 60, 60].map((length) => 'x'.repeat(length)).join('.');
    expect(faultsOf(['name: web, domain: a.b'], [`domain: ${long}`]).join()).toMatch(
      /dns\.domain: .* expected a shorter domain/,
    );
    expect(faultsOf([`name: web, domain: ${long}`], ['ttlSeconds: 1']).join()).toMatch(
      /services\[0\]\.domain: .* expected a shorter/,
    );
  });
});

describe('aliases and names that nobody declared', () => {
  const web = ['name: web'];
  it('lie in the zones, and lead somewhere', () => {
    const aliases =
      'aliases: { a.ha.local: b.ha.local, b.ha.local: A.ha.local, out.example.org: web.ha.local, in.ha.local: a.ha.local }';
    expect(faultsOf(web, ['domain: ha.local', aliases])).toEqual([
      'F:5: dns.aliases.a.ha.local: "b.ha.local" is wrong: expected a name that does not lead back to the alias',
      'F:5: dns.aliases.b.ha.local: "A.ha.local" is wrong: expected a name that does not lead back to the alias',
      'F:5: dns.aliases.out.example.org: expected an alias within ha.local',
    ]);
  });

  it.each([
    ['{ service: web }', undefined],
    ['{ name: www.example.org }', undefined],
    ['{ name: web.ha.local }', undefined],
    ['{ name: slot-1.web.ha.local }', undefined],
    ['{ name: ns.ha.local }', undefined],
    ['{ service: wbe }', 'F:5: dns.undeclared.service: "wbe" is wrong: expected a service with a name in DNS: web'],
    [
      '{ name: nobody.ha.local }',
      'F:5: dns.undeclared.name: "nobody.ha.local" is wrong: expected a name that is declared, or lies elsewhere',
    ],
  ])('may be or may not be %s', (undeclared, fault) => {
    const found = faultsOf(web, ['domain: ha.local', `undeclared: ${undeclared}`]);
    expect(found).toEqual(fault === undefined ? [] : [expect.stringContaining(fault)]);
  });

  it('need a domain to lie in', () => {
    const found = faultsOf(['name: web, domain: a.b'], ['undeclared: { addresses: [192.0.2.1] }']);
    expect(found).toEqual([expect.stringMatching(/^F:\d+: dns\.undeclared: expected domain beside it/)]);
  });
});

describe('questions for other servers', () => {
  it('need servers to be forwarded to', () => {
    const found = faultsOf(['name: web, dns: { otherTypes: forward }'], ['domain: ha.local', 'otherTypes: forward']);
    expect(found).toEqual([
      expect.stringMatching(/^F:5: dns\.otherTypes: "forward" is wrong: expected nodata, or dns: \{forward/),
      expect.stringMatching(/^F:2: services\[0\]\.dns\.otherTypes: "forward" is wrong/),
    ]);
  });

  it('are never sent to hsdo itself', () => {
    const self = (listen: string, to: string) =>
      faultsOf(['name: web'], ['domain: ha.local', `listen: ["${listen}"]`, `forward: { to: ["${to}"] }`]);
    for (const [listen = '', to = ''] of [
      ['127.0.0.1:53', '127.0.0.1'],
      ['0.0.0.0:53', '127.0.0.1:53'],
      ['[::]:5353', '[::1]:5353'],
    ])
      expect(self(listen, to).join(), listen).toContain('dns.forward.to[0]');
    for (const [listen = '', to = ''] of [
      ['127.0.0.1:53', '127.0.0.2'],
      ['127.0.0.1:5353', '127.0.0.1:53'],
      ['0.0.0.0:53', '192.0.2.1'],
    ])
      expect(self(listen, to), listen).toEqual([]);
  });

  it('come in at each address once', () => {
    const found = faultsOf(
      ['name: web'],
      ['domain: ha.local', 'listen: ["127.0.0.1:53", "127.0.0.1:53", "127.0.0.1:0", "127.0.0.1:0"]'],
    );
    expect(found).toEqual(['F:5: dns.listen[1]: "127.0.0.1:53" is wrong: expected each address once']);
  });
});
