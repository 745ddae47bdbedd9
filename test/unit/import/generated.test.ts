import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { importAndLoad } from '../../fixtures/importing.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const address = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.integer({ min: 1, max: 254 }))
  .map(([a, b]) => `${a}.0.0.${b}`);
const port = fc.integer({ min: 1, max: 65_535 });
const secretText = fc.stringMatching(/^[A-Za-z0-9!$%+./_-]{8,20}$/);
const maybe = <T>(inner: fc.Arbitrary<T>) => fc.option(inner, { nil: undefined });
const addresses = fc.uniqueArray(address, { minLength: 1, maxLength: 13 });
const names = (max: number) => fc.uniqueArray(name, { minLength: 1, maxLength: max });
/** A list with one entry for each name. */
const named = <T>(keys: readonly string[], entry: fc.Arbitrary<T>) =>
  fc.tuple(...keys.map((key) => fc.tuple(fc.constant(key), entry)));
/** Without what is not there, as a person writes it. */
const asYaml = (value: unknown) => stringify(JSON.parse(JSON.stringify(value)));

/** Every file that a predecessor takes becomes one that hsdo takes, and no secret stands in it or in the report. */
function becomesOurs(
  kind: string,
  texts: fc.Arbitrary<string>,
  secrets: (text: string) => readonly string[] = () => [],
) {
  fc.assert(
    fc.property(texts, (text) => {
      const imported = importAndLoad(text, 'old');
      expect([imported.kind, imported.complaints]).toEqual([kind, []]);
      expect(imported.config).not.toBeInstanceOf(Array);
      expect(imported.config).toMatchObject({ services: expect.any(Array) });
      const shown = `${imported.text}${JSON.stringify(imported.entries)}`;
      for (const secret of secrets(text)) expect(shown).not.toContain(secret);
      // Nothing is silent: each service of the old file is one of the new, and every unknown key is told.
      expect(imported.told('taken').length).toBeGreaterThan(0);
    }),
    { numRuns: 20 },
  );
}

const found = (pattern: RegExp) => (text: string) => [...text.matchAll(pattern)].map(([, secret = '']) => secret);

const seconds = fc.integer({ min: 1, max: 3600 });

const dhafCheck = fc.oneof(
  fc.record({
    type: fc.constant('web'),
    schema: maybe(fc.constantFrom('http', 'https')),
    method: maybe(fc.constantFrom('GET', 'POST')),
    port: maybe(port),
    path: maybe(fc.constantFrom('/', 'health', '/a b?c=ä', '/%20#x')),
    headers: maybe(fc.record({ 'X-Token': secretText, Accept: fc.constant('*/*') })),
    'follow-redirects': maybe(fc.boolean()),
    timeout: maybe(fc.integer({ min: 1, max: 86_400 })),
    retries: maybe(fc.integer({ min: 0, max: 50 })),
    'expected-codes': maybe(fc.constantFrom('200', '200,3XX', '2XX')),
    'expected-response-body': maybe(fc.constantFrom('ok', '')),
    'domain-forwarding': maybe(fc.boolean()),
    'ignore-ssl-errors': maybe(fc.boolean()),
  }),
  fc.record({ type: fc.constant('tcp'), port, receiveTimeout: maybe(seconds) }),
  fc.record({ type: fc.constant('exec'), init: fc.constant('/opt/init'), check: fc.constant('./check.py') }),
  fc.record({ type: fc.constant('mine'), option: fc.integer() }),
);
const dhafSwitch = fc.oneof(
  fc.record({ type: fc.constant('cloudflare'), 'api-token': secretText, zone: fc.constant('foo.com') }),
  fc.record({ type: fc.constant('exec'), init: fc.constant('/opt/init'), switch: fc.constant('/opt/switch') }),
  fc.record({ type: fc.constant('mine') }),
);
const dhafService = fc.record({
  'entry-points': names(12).chain((all) =>
    named(all, address).map((each) => each.map(([one, ip]) => ({ name: one, ip }))),
  ),
  switcher: dhafSwitch,
  'health-checker': dhafCheck,
});
const dhaf = fc
  .record({
    dhaf: fc.record({
      'cluster-name': name,
      'node-name': name,
      'tact-interval': maybe(seconds),
      'tact-post-switch-delay': maybe(seconds),
      'web-api': maybe(fc.record({ host: maybe(fc.constantFrom('localhost', '0.0.0.0', '*')), port: maybe(port) })),
    }),
    etcd: fc.record({
      hosts: fc
        .uniqueArray(address, { minLength: 1, maxLength: 3 })
        .map((all) => all.map((one) => `${one}:2379`).join(',')),
    }),
    services: names(3).chain((all) =>
      named(all, dhafService).map((each) =>
        each.map(([one, rest]) => ({ name: one, domain: `${one}.foo.com`, ...rest })),
      ),
    ),
    notifiers: maybe(fc.tuple(fc.record({ type: fc.constant('tg'), token: secretText, 'join-code': secretText }))),
  })
  .map(asYaml);

const har = fc
  .tuple(
    addresses,
    names(4).chain((all) =>
      named(
        all,
        fc.tuple(
          names(12),
          fc.boolean(),
          fc.boolean(),
          fc.constantFrom('none', 'all'),
          fc.double({ min: 0.001, max: 1e6, noNaN: true }),
        ),
      ),
    ),
  )
  .map(([servers, all]) => {
    const sections = all.map(([one, [candidates, isLiteral, isGroup, mode, frequency]]) => {
      const inner = candidates.map(
        (candidate, n) =>
          `  candidate ${candidate} { check_address = "http://${isLiteral ? `10.0.0.${n + 1}` : `${candidate}.example`}:8080/x" }`,
      );
      const method = isGroup ? 'group_rtt_rr' : 'best_rtt';
      const options = `check_frequency = ${frequency.toFixed(6)} selection_method = ${method} failure_mode = ${mode} max_rtt = 0.5 group_rtt_threshold = 0.01`;
      return `name ${one}.example.com {\n  ${options}\n${inner.join('\n')}\n}`;
    });
    return `nameservers = { ${servers.join(', ')} }\n${sections.join('\n')}\n`;
  });

const record = fc.record({
  ServiceType: fc.constantFrom('http', 'tcp', 'postgres', 'sentinel', 'none'),
  Options: fc.record({
    CheckForHealth: fc.boolean(),
    LBmethod: maybe(fc.constantFrom('active-passive', 'roundrobin', 'round-robin')),
    RetryCount: maybe(fc.integer({ min: 0, max: 30 })),
    Expected_Response_Code: maybe(fc.constantFrom(200, 302)),
    MasterOnly: fc.boolean(),
    SlaveOnly: fc.boolean(),
    SentinelMonitorMasterName: name,
  }),
  Ip: addresses.map((all) =>
    all.map((Addr) => ({ Addr, port: '5432', Url: `http://${Addr}/`, UserName: 'u', Password: `pw-of-${Addr}-` })),
  ),
  Sentinels: addresses.map((all) => all.map((Addr) => ({ Addr, Port: '26379', Password: 'pw-of-sentinels-' }))),
});
const hanoproxy = fc
  .tuple(
    fc.record({
      EnableRecursiveDnsServer: maybe(fc.boolean()),
      HADomain: fc.constant('ha.local'),
      ListenPort: maybe(port.map(String)),
      TTL: maybe(fc.constantFrom('0', '10')),
      UpdateInterval: maybe(fc.integer({ min: 0, max: 3600 }).map(String)),
    }),
    names(4).chain((all) => named(all, record)),
    maybe(record),
  )
  .map(([GlobalOptions, all, rest]) =>
    asYaml({
      GlobalOptions,
      DnsRecords: [
        ...all.map(([Name, one]) => ({ Name, ...one })),
        ...(rest === undefined ? [] : [{ Name: '', ...rest }]),
      ],
    }),
  );

const pyDomain = fc.record({
  fallback: addresses,
  server: maybe(
    fc.record({ policy: maybe(fc.constantFrom('any', 'priority', 'quorum', 'all')), timeout_sec: maybe(seconds) }),
  ),
  monitor: fc.record({
    mode: maybe(fc.constantFrom('tcp', 'http', 'icmp')),
    monitor_tag: maybe(fc.oneof(fc.constant('a b'), fc.constant(''), fc.constant(['a', 'b']))),
    targets: addresses.chain((all) =>
      fc.tuple(
        ...all.map((ip) => fc.record({ ip: fc.constant(ip), port, priority: maybe(fc.integer({ min: 0, max: 100 })) })),
      ),
    ),
  }),
  agent: maybe(fc.record({ interval_sec: maybe(seconds), timeout_sec: maybe(seconds), token: maybe(secretText) })),
});
const pyfailoverdns = fc
  .array(
    fc.tuple(
      fc.constantFrom('failover', 'ha.internal'),
      names(3).chain((all) => named(all, pyDomain)),
      fc.boolean(),
    ),
    { minLength: 1, maxLength: 2 },
  )
  .map((zones) =>
    asYaml({
      dns: { listen_ip: '0.0.0.0', listen_port: 8053 },
      api: { listen_ip: '0.0.0.0', listen_port: 8000 },
      zones: zones.map(([zone, all, isDeep], n) => ({
        name: zone,
        domains: Object.fromEntries(all.map(([one, rest]) => [`${one}${n}${isDeep ? '.deep' : ''}.${zone}`, rest])),
      })),
    }),
  );

describe('whatever a predecessor takes becomes a configuration that hsdo takes', () => {
  it('of dhaf', () => becomesOurs('dhaf', dhaf, found(/(?:api-token|X-Token|\btoken|join-code): "?([^\s"]{8,})/g)));
  it('of har', () => becomesOurs('har', har));
  it('of HAnoProxY', () => becomesOurs('hanoproxy', hanoproxy, found(/Password: (pw-of-\S+-)$/gm)));
  it('of PyFailoverDNS', () => becomesOurs('pyfailoverdns', pyfailoverdns, found(/token: "?([^\s"]{8,})/g)));
});
