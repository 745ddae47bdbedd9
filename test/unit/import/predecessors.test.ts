import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/schema.ts';
import { importAndLoad, predecessorsExample } from '../../fixtures/importing.ts';

/** An example with some of its text replaced. */
const changed = (file: string, ...pairs: readonly (readonly [string, string])[]) => {
  const text = pairs.reduce((rest, [from, to]) => {
    expect(rest).toContain(from);
    return rest.replaceAll(from, to);
  }, predecessorsExample(file));
  const imported = importAndLoad(text, file);
  return { ...imported, services: (imported.config as Config | undefined)?.services ?? [] };
};

describe('dhaf', () => {
  it('keeps the port of a check, its codes and headers, and hides headers that are secrets', () => {
    const check = `schema: https
      path: health check
      expected-codes: 2XX,301
      headers: { X-Auth: the-key-itself, Accept: text/html }
      follow-redirects: true
      retries: 12`;
    const { services, variables, told, text } = changed('config-n1.dhaf', ['schema: http', check]);
    expect(services[0]?.source[0]).toMatchObject({ targets: [{ port: 443 }, { port: 443 }] });
    expect(services[0]?.check).toMatchObject({ scheme: 'https', path: '/health%20check', expectedCodes: '2XX,301' });
    expect(services[0]?.check).toMatchObject({ followRedirects: true, followToOtherHosts: true, retries: 10 });
    expect(variables.map(({ name }) => name)).toContain('HEADER_X_AUTH');
    expect(text).not.toContain('the-key-itself');
    expect(told('differs').join()).toContain('at most 10 tries more');
  });

  it('leaves extensions in C# to a decision, and everything else goes on', () => {
    const { services, told, complaints } = changed(
      'config-n1.dhaf',
      ['type: web', 'type: mine'],
      ['type: tg', 'type: pager'],
    );
    expect(complaints).toEqual([]);
    expect(services[0]?.check).toBeUndefined();
    expect(told('left').filter((line) => line.startsWith('!'))).toEqual([
      expect.stringContaining('services[0].health-checker: "mine" is an extension of yours'),
      expect.stringContaining('notifiers[1]: "pager" is an extension of yours'),
    ]);
    expect(told('left')).toContain('services[0].health-checker.schema: dhaf has no such parameter, or none here');
  });

  it('wants a token where its REST interface is open to everybody', () => {
    const open = ['node-name: node-1', 'node-name: node-1\n  web-api: { host: "*", port: 9000 }'] as const;
    const { config, told, variables } = changed('config-n1.dhaf', open);
    expect((config as Config).api.listen).toBe('0.0.0.0:9000');
    expect(variables.map(({ name }) => name)).toContain('API_TOKEN');
    expect(told('left')).toEqual([expect.stringMatching(/^! dhaf.web-api: whoever reaches this address could switch/)]);
  });

  it('says with its line what is wrong, in the words of the old file, and shows no secret', () => {
    const wrong = [
      ['ip: 192.0.2.10', 'ip: 192.0.2.300'],
      ['name: ep-2', 'name: "ep 2"'],
      ['cluster-name: first-dhaf-cluster', 'cluster-name: first-dhaf-cluster\n  tact-interval: often'],
      ['zone: foo.com', 'zone: bar.com'],
    ] as const;
    expect(changed('config-n1.dhaf', ...wrong.slice(0, 3)).complaints).toEqual([
      expect.stringContaining('config-n1.dhaf:4: dhaf.tact-interval: "often" is wrong: expected a whole number'),
      expect.stringContaining('config-n1.dhaf:15: services[0].entry-points[0].ip: "192.0.2.300" is wrong'),
      expect.stringContaining('config-n1.dhaf:16: services[0].entry-points[1].name: "ep 2" is wrong'),
    ]);
    // What only the whole can tell is told at the old place, too.
    expect(changed('config-n1.dhaf', ...wrong.slice(3)).complaints).toEqual([
      'config-n1.dhaf:11: services[0].domain: "foo.com" is wrong: expected a name in the zone bar.com',
    ]);
    const bad = changed('config-n1.dhaf', ['api-token: cloudflare-token-of-foo', 'api-token: two words of it']);
    expect(bad.complaints.join()).toMatch(/config-n1.dhaf:19: services\[0\].switcher.api-token: \*\*\* is wrong/);
  });
});

describe('har', () => {
  it('finds candidates by their names in DNS, and says when they cannot be asked alike', () => {
    const names = [
      ['http://198.51.100.10/ping', 'http://east.example.com:81/ping'],
      ['http://203.0.113.10/ping', 'http://west.example.com/other'],
      ['check_timeout = 5', 'selection_method = group_rtt_rr max_rtt = 2 group_rtt_threshold = 0.02'],
    ] as const;
    const { services, told } = changed('har.conf', ...names);
    const servers = ['192.0.2.53', '192.0.2.54'];
    expect(services[0]?.source).toMatchObject([
      { kind: 'dns', names: ['east.example.com'], port: 81, type: 'A', servers },
      { kind: 'dns', names: ['west.example.com'], port: 80, type: 'A', servers },
    ]);
    expect(services[0]?.check).toMatchObject({ path: '/ping', timeoutSeconds: 60 });
    expect(services[0]?.select).toMatchObject({ kind: 'group-rtt-rr', maxRttMs: 2000, groupThresholdMs: 20 });
    expect(told('left')).toEqual([
      expect.stringMatching(/^! name\[0\].candidate\[1\].check_address: candidates whose/),
    ]);
    expect(told('differs').join()).toContain('the candidates must answer to that, too');
  });

  it('listens everywhere where nothing is said, and keeps slips of the fingers for nobody', () => {
    const { config, told } = changed(
      'har.conf',
      ['dns_bind_interfaces', 'dns_bind_interface'],
      ['failure_mode = all', ''],
    );
    const everywhere = [
      { host: '0.0.0.0', port: 15_353 },
      { host: '::', port: 15_353 },
    ];
    expect((config as Config).dns?.listen).toEqual(everywhere);
    expect((config as Config).services[0]?.whenAllDown).toBe('none');
    expect(told('left')).toEqual([
      'dns_bind_interface: har has no such parameter, or none here; did you mean dns_bind_interfaces?',
    ]);
  });

  it('names what is missing and what is no address', () => {
    const none = importAndLoad('name a { candidate b { } }\nnameservers = { one }', 'har.conf');
    expect(none.complaints).toEqual([
      'har.conf:1: name[0].candidate[0].check_address: missing: expected a URL such as http://api1.example.com/ping',
      'har.conf:2: nameservers[0]: "one" is wrong: expected an IP address',
    ]);
  });
});

describe('HAnoProxY', () => {
  const global = 'GlobalOptions: { HADomain: ha.local, UpdateInterval: "5" }\nDnsRecords:\n';
  const record = (type: string, options: string, ip: string) =>
    `- { Name: Www, ServiceType: ${type}, Options: { CheckForHealth: true, ${options} }, Ip: [${ip}] }\n`;
  const of = (text: string) => {
    const imported = importAndLoad(global + text, 'hanoproxy.yaml');
    return { ...imported, service: (imported.config as Config | undefined)?.services[0] };
  };

  it('asks each address at its URL, in turns, with the first one for the case that all are down', () => {
    const ips = '{ addr: 10.1.1.1, url: "http://10.1.1.1/a" }, { Addr: 10.1.1.2, URL: "https://www.example.com" }';
    const { service } = of(record('http', 'Expected_Response_Code: 302, retrycount: 1', ips));
    const targets = { '10.1.1.1': { url: 'http://10.1.1.1/a' }, '10.1.1.2': { url: 'https://www.example.com' } };
    const wanted = { kind: 'http', targets, expectedCodes: '302', retries: 1, intervalSeconds: 5, rise: 1, fall: 1 };
    expect(service).toMatchObject({
      name: 'www',
      check: wanted,
      select: { kind: 'round-robin' },
      whenAllDown: 'first',
    });
  });

  it('takes a login out of a URL, and leaves its place to a decision', () => {
    const { service, told, text } = of(record('http', '', '{ Addr: 10.1.1.1, Url: "http://me:pw-of-me@10.1.1.1/a" }'));
    expect(service?.check).toMatchObject({ targets: { '10.1.1.1': { url: 'http://10.1.1.1/a' } } });
    expect(told('left')).toEqual([expect.stringMatching(/^! .*Url: its login was taken out/)]);
    expect(`${text}${told('left').join()}`).not.toContain('pw-of-me');
  });

  it('has a user and a password for each PostgreSQL, and the role that is wanted', () => {
    const login = (n: number, password: string) =>
      `{ Addr: 10.1.1.${n}, Port: 5432, UserName: u${n}, Password: ${password} }`;
    const ips = `${login(1, 'pw-one')}, ${login(2, 'pw-two')}`;
    const { service, variables, told } = of(record('postgres', 'MasterOnly: true, LBmethod: active-passive', ips));
    const other = { user: 'u2', database: 'u2' };
    const check = { kind: 'postgres', role: 'primary', user: 'u1', database: 'u1', targets: { '10.1.1.2': other } };
    expect(service).toMatchObject({ check, select: { kind: 'active-passive', failbackSeconds: 0 } });
    expect(variables.map(({ name, value }) => [name, value])).toEqual([
      ['POSTGRES_PASSWORD', 'pw-one'],
      ['POSTGRES_PASSWORD_2', 'pw-two'],
    ]);
    expect(told('differs').join()).toContain('of two primaries only that with the newer timeline is up');
  });

  it('has a second for a connection, and says what it does not know', () => {
    const { service, told, complaints } = of(record('tcp', 'Retries: 1', '{ Addr: "2001:db8::1", port: "143" }'));
    expect(complaints).toEqual([]);
    expect(service?.source).toEqual([{ kind: 'static', targets: ['[2001:db8::1]:143'] }]);
    expect(service?.check).toMatchObject({ kind: 'tcp', timeoutSeconds: 1 });
    expect(told('left')).toEqual([expect.stringContaining('DnsRecords[0].Options.Retries: HAnoProxY has no such')]);
    expect(of(record('udp', '', '{ Addr: x }')).complaints).toEqual([
      'hanoproxy.yaml:3: DnsRecords[0].ServiceType: "udp" is wrong: expected one of http, tcp, postgres, sentinel, none',
      'hanoproxy.yaml:3: DnsRecords[0].Ip[0].Addr: "x" is wrong: expected an IP address',
    ]);
  });
});

describe('PyFailoverDNS', () => {
  it('serves those of the highest number under priority, and gives a report time enough', () => {
    const priority = [
      ['policy: any', 'policy: priority'],
      ['port: 443', 'port: 443\n              priority: 7'],
      ['timeout_sec: 60', 'timeout_sec: 20'],
    ] as const;
    const { services, told } = changed('pyfailoverdns.yaml', ...priority);
    expect(services[0]).toMatchObject({
      select: { kind: 'priority' },
      vote: { policy: 'any', missing: 'down' },
      agents: { freshSeconds: 45 },
    });
    expect(services[0]?.source[0]).toMatchObject({ targets: [{ priority: 7 }, { priority: 7 }] });
    expect(told('differs').join()).toMatch(/the highest number comes first[\s\S]*a report stands for 45 s here/);
  });

  it('wants a token where there was none, and takes domains of several zones by their own names', () => {
    const { config, told, services } = changed(
      'pyfailoverdns.yaml',
      ['token: "secret_token"', ''],
      ['webmail.failover', 'a.b.failover'],
    );
    expect(services[0]).toMatchObject({ name: 'a.b.failover', domain: 'a.b.failover' });
    expect((config as Config).dns?.domain).toBeUndefined();
    expect(told('left')).toEqual([
      expect.stringMatching(/^! zones.*without a token anybody could report.*AGENT_TOKEN/),
    ]);
  });

  it('names what its own master refuses', () => {
    const wrong = [
      ['- "10.10.10.254"', '- nowhere'],
      ['policy: any', 'policy: some'],
      ['secret_token', 'short'],
    ] as const;
    expect(changed('pyfailoverdns.yaml', ...wrong).complaints).toEqual([
      expect.stringContaining('fallback[0]: "nowhere" is wrong: expected an IP address'),
      expect.stringContaining('"some" is wrong: expected one of any, priority, quorum, all'),
      expect.stringMatching(/agent.token: \*\*\* is wrong: expected at least 8 characters/),
    ]);
  });
});
