import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { showFault } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { parameters } from '../../../src/config/parameters.ts';
import type { Roles } from '../../../src/config/rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsdo-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function load(lines: readonly string[], env: NodeJS.ProcessEnv = {}, roles: Roles = {}) {
  files += 1;
  const file = join(folder, `${files}.yaml`);
  writeFileSync(file, lines.join('\n'));
  const { config, faults, notices } = loadConfig({ file, env, roles });
  const short = (text: string) => text.replaceAll(file, 'F');
  return { config, faults: faults.map((fault) => short(showFault(fault))), notices: notices.map(short) };
}

const flat = ['SERVER_MODE: file', 'SERVER_FILE_PATH: /t.yaml'];
const service = 'services: [{ name: web, source: { kind: file, path: /t.yaml } }]';

describe('the flat parameters', () => {
  it('make one service, with the defaults of HSDO', () => {
    const { config, faults } = load([
      ...flat,
      'HAPROXY_BACKEND_NAME: http-back',
      'HAPROXY_BACKEND_BASE_NAME: mywebapp',
    ]);
    expect(faults).toEqual([]);
    expect(config?.services).toMatchObject([
      {
        name: 'default',
        size: 10,
        weight: { min: 1, max: 10, increase: 1, intervalSeconds: 30 },
        haproxy: {
          sockets: ['/var/run/haproxy/admin.sock'],
          backends: [{ name: 'http-back', baseName: 'mywebapp', defaultPort: 80, accepts: 'all' }],
        },
      },
    ]);
    expect(config).toMatchObject({
      intervalSeconds: 1,
      exporter: { listen: '0.0.0.0:6789' },
      store: { kind: 'sqlite' },
    });
  });

  it('are taken from the environment before the file, an empty one counting as not set', () => {
    const { config } = load([...flat, 'INTERVAL: 5', 'HAPROXY_BACKEND_SERVERS_LIST_SIZE: 20'], {
      INTERVAL: '2',
      HAPROXY_BACKEND_SERVERS_LIST_SIZE: '',
    });
    expect(config).toMatchObject({ intervalSeconds: 2, services: [{ size: 20 }] });
  });

  it("are known under upstream's later names too, with a notice that names both", () => {
    for (const { name, aliases, default: fallback } of parameters) {
      for (const alias of aliases) {
        const value = Array.isArray(fallback) ? fallback.join() : JSON.stringify(fallback ?? 'x');
        const { notices } = load([...flat, `${alias}: ${value}`]);
        expect(notices).toEqual([`F:3: ${alias} is taken as ${name}`]);
      }
    }
  });

  it('under two names must agree', () => {
    const lines = [...flat, 'AZ_LIMITER: true', 'CLIENT_DEDICATED_ASG: false', 'CLIENT_ASG_NAMES: a'];
    expect(load(lines).faults.join()).toContain('F:4: CLIENT_DEDICATED_ASG: false is wrong');
  });

  it('keep tokens and names as they are written, whatever YAML would make of the digits', () => {
    const { config, faults } = load([
      'SERVER_MODE: consul',
      'CONSUL_API_URL: http://127.0.0.1:8500',
      'CONSUL_SERVICE_NAME: [007, 1e3]',
      'CONSUL_TOKEN: 0012345',
      'NODE_ID: 12345678901234567890',
      'HAPROXY_BACKEND_NAME: 010',
      'HAPROXY_BACKEND_BASE_NAME: 0x1F',
    ]);
    expect(faults).toEqual([]);
    const [web] = config?.services ?? [];
    const [source] = web?.source ?? [];
    expect(source?.kind === 'consul' && [source.services, source.token?.reveal()]).toEqual([['007', '1e3'], '0012345']);
    expect(config?.cluster.nodeId).toBe('12345678901234567890');
    expect(web?.haproxy?.backends).toMatchObject([{ name: '010', baseName: '0x1F' }]);
  });

  it.each([
    ['HAPROXY_BACKEND_SERVERS_LIST_SIZE: 1e1', '"1e1"'],
    ['HAPROXY_BACKEND_SERVERS_LIST_SIZE: 80.9', '"80.9"'],
    ['HAPROXY_BACKEND_SERVER_PORT: 12abc', '"12abc"'],
    ['INTERVAL: 0x10', '"0x10"'],
    ['INTERVAL: no', '"no"'],
    ['AZ_LIMITER: no', '"no"'],
    ['DEBUG: 1', '"1"'],
    ['SERVER_MODE: zookeeper', '"zookeeper"'],
    ['SERVICE_NAME: a b', '"a b"'],
    ['HAPROXY_SOCKET_PATH: admin.sock', '"admin.sock"'],
    ['EXPORTER_PORT: 70000', '"70000"'],
  ])('refuse %s by line, name and value', (line, value) => {
    const { faults } = load(['# a comment', 'HAPROXY_BACKEND_NAME: a', 'HAPROXY_BACKEND_BASE_NAME: b', line]);
    const at = faults.filter((fault) => fault.startsWith(`F:4: ${line.split(':')[0]}`));
    expect(at, faults.join('\n')).toHaveLength(1);
    expect(at[0]).toContain(`${value} is wrong: expected`);
  });

  it('name what another one makes necessary', () => {
    expect(load(['SERVER_MODE: consul']).faults).toEqual([
      'F: CONSUL_API_URL: expected a value, since SERVER_MODE is consul',
      'F: CONSUL_SERVICE_NAME: expected a value, since SERVER_MODE is consul',
    ]);
  });

  it('stand beside no list of services', () => {
    const { faults } = load([service, 'SERVER_MODE: file'], { SERVER_FILE_PATH: '/x' });
    expect(faults).toHaveLength(2);
    for (const fault of faults) expect(fault).toContain('expected either flat parameters');
  });
});

describe('everything that is wrong', () => {
  it('is said at once, with the place, the path, the value and what was expected', () => {
    const { config, faults } = load(
      [
        'services:',
        '  - name: web',
        '    source: { kind: consul, url: nowhere, services: [web] }',
        '    haproxi: {}',
        '    size: 80.9',
        '    weight: { mim: 2 }',
        '  - name: b c',
        '    source: [{ kind: file }, { kind: carrier-pigeon }, { kind: static, targets: [10.0.0.1, "10.0.0.2:70000"] }]',
        'store: { kind: redis }',
        'servces: []',
        'api: { listen: 0.0.0.0:8128x }',
      ],
      { LEASE_TTL: '12abc' },
    );
    expect(config).toBeUndefined();
    const found = faults.join('\n');
    for (const expected of [
      'environment: LEASE_TTL: "12abc" is wrong: expected',
      'F:3: services[0].source.url: "nowhere" is wrong: expected http://host:port',
      'F:4: services[0].haproxi: no such parameter; did you mean haproxy?',
      'F:5: services[0].size: 80.9 is wrong: expected a whole number',
      'F:6: services[0].weight.mim: no such parameter; did you mean min?',
      'F:7: services[1].name: "b c" is wrong: expected 1 to 64',
      'F:8: services[1].source[0].path: missing: expected string',
      'F:8: services[1].source[1].kind: "carrier-pigeon" is wrong: expected',
      'F:8: services[1].source[2].targets[1]: "10.0.0.2:70000" is wrong: port is 70000, expected an integer from 1 to',
      'F:9: store.kind: "redis" is wrong: expected',
      'F:10: servces: no such parameter; did you mean services?',
      'F:11: api.listen: "0.0.0.0:8128x" is wrong: expected',
    ]) {
      expect(found).toContain(expected);
    }
  });

  it.each([
    ['not YAML', ['a: [1', 'b: 2'], /^F:2: YAML: /],
    ['a key twice', ['INTERVAL: 1', 'INTERVAL: 2'], /^F:2: YAML: .*unique/],
    ['no map', ['- a'], /expected a map of parameters/],
    ['nothing at all', [''], /services/],
  ])('is named when the file holds %s', (_, lines, pattern) => {
    const { faults } = load(lines);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(pattern);
  });

  it('is a file that is not there', () => {
    const { faults } = loadConfig({ file: join(folder, 'nowhere.yaml'), env: {} });
    expect(faults.map(showFault).join()).toContain('expected a readable file');
  });

  it('is what a role needs and does not find', () => {
    expect(load([service], {}, { client: true }).faults.join()).toContain('--client needs to know which backend');
    const client = 'services: [{ name: web, haproxy: { backends: [{ name: a, baseName: b }] } }]';
    expect(load([client], {}, { server: true }).faults.join()).toContain('--server needs to know where targets');
  });
});

describe('secrets', () => {
  const secrets = ['tok-4711', 'pw-0815', 'short'];
  it('are in no fault, no notice and no printed configuration', () => {
    const consul = 'source: { kind: consul, url: "http://127.0.0.1:8500", services: [a], token: tok-4711 }';
    const good = load([`services: [{ name: web, ${consul} }]`], { API_TOKEN: 'tok-4711-long' });
    expect(good.faults).toEqual([]);
    expect(good.config?.api.token?.reveal()).toBe('tok-4711-long');
    const bad = load(
      [
        'SERVER_MODE: consul',
        'CONSUL_API_URL: http://user:pw-0815@consul:8500',
        'CONSUL_SERVICE_NAME: a',
        'CONSUL_TOKEN: [tok-4711]',
        'api: { token: [tok-4711, short], tokn: tok-4711 }',
      ],
      { API_TOKEN: 'short' },
    );
    expect(bad.faults.length).toBeGreaterThan(2);
    const shown = [JSON.stringify(good), inspect(good, { depth: 20 }), ...bad.faults, ...bad.notices].join('\n');
    for (const one of secrets) expect(shown).not.toContain(one);
  });

  it('may lie in files, once', () => {
    const path = join(folder, 'token');
    writeFileSync(path, 'from-a-file\n');
    expect(load([service], { API_TOKEN_FILE: path }).config?.api.token?.reveal()).toBe('from-a-file');
    expect(load([service], { API_TOKEN_FILE: path, API_TOKEN: 'also-here' }).faults.join()).toContain(
      'expected either',
    );
    const exporter = load([service], { EXPORTER_TOKEN_FILE: path, EXPORTER_PORT: '9000' }).config?.exporter;
    expect([exporter?.token?.reveal(), exporter?.listen]).toEqual(['from-a-file', '0.0.0.0:9000']);
    expect(load([service], { API_TOKEN_FILE: join(folder, 'none') }).faults.join()).toContain('API_TOKEN_FILE');
  });

  it('refuses two services in one backend of one HAProxy, and takes the same backend of another', () => {
    const service = (name: string, socket: string) =>
      `  - {name: ${name}, haproxy: {sockets: [${socket}], backends: [{name: web, baseName: web}]}}`;
    const lines = ['services:', service('a', '/run/a.sock'), service('b', '/run/b.sock'), service('c', '/run/a.sock')];
    expect(load(lines).faults).toEqual([
      'F:4: services[2].haproxy.backends[0].name: "web" is wrong: expected a backend of its own; service "a" keeps web at /run/a.sock',
    ]);
  });

  it("wants to know which of several services lives in HSDO's table", () => {
    const lines = ['services: [{name: a}, {name: b}]', 'store: {kind: dynamodb, table: t, hsdoTable: h}'];
    expect(load(lines).faults).toEqual([
      "F:2: store.hsdoService: missing: expected the one service that lives in HSDO's table: a, b",
    ]);
  });
});
