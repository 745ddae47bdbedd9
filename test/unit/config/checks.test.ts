import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { showFault } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsdo-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Loads a service `web` with what the lines say about it beside its name and source. */
function load(lines: readonly string[], around: { env?: NodeJS.ProcessEnv; top?: readonly string[] } = {}) {
  const file = join(folder, 'env.yaml');
  const service = [
    'services:',
    '- name: web',
    '  source: { kind: static, targets: [] }',
    ...lines.map((line) => `  ${line}`),
  ];
  writeFileSync(file, [...service, ...(around.top ?? [])].join('\n'));
  const { config, faults } = loadConfig({ file, env: around.env ?? {}, roles: {} });
  return { config, faults: faults.map((fault) => showFault(fault).replaceAll(file, 'F')) };
}

describe('a check in the configuration', () => {
  it('has the defaults of the field, and may be named by its kind alone', () => {
    const { config, faults } = load(['check: tcp', 'select: round-robin']);
    expect(faults).toEqual([]);
    expect(config?.services[0]).toMatchObject({
      check: { kind: 'tcp', timeoutSeconds: 1, rise: 2, fall: 2, holdDown: { seconds: 30, maxSeconds: 300 } },
      vote: { policy: 'quorum', electorate: 'registered', missing: 'undecided' },
      select: { kind: 'round-robin' },
      whenAllDown: 'last-good',
    });
  });

  it('is told every fault by line, value and what was expected', () => {
    const { faults } = load([
      'check: { kind: http, path: no-slash, timeoutSeconds: 0, expectedCodes: "20", folowRedirects: true }',
      'vote: { policy: 0, electorate: some }',
      'select: { kind: best-rtt, rttMode: ping }',
      'whenAllDown: { fallback: [nowhere] }',
    ]);
    const said = faults.join('\n');
    expect(said).toMatch(/F:4: services\[0\]\.check\.path: "no-slash"/);
    expect(said).toMatch(/F:4: services\[0\]\.check\.timeoutSeconds: 0 is wrong/);
    expect(said).toMatch(/F:4: services\[0\]\.check\.expectedCodes: "20"/);
    expect(said).toMatch(/F:4: services\[0\]\.check\.folowRedirects: no such parameter.*followRedirects/);
    expect(said).toMatch(/F:5: services\[0\]\.vote\.policy: 0 is wrong: expected number to be >=1/);
    expect(said).toMatch(/F:5: services\[0\]\.vote\.electorate: "some"/);
    expect(said).toMatch(/F:6: services\[0\]\.select\.rttMode: "ping"/);
    expect(said).toMatch(/F:7: services\[0\]\.whenAllDown/);
  });

  it('has a domain that can be said as Host, where it is said', () => {
    const wrong = ['domain: shop.example-', 'check: http'];
    expect(load(wrong).faults).toEqual([
      'F:4: services[0].domain: "shop.example-" is wrong: expected the name of a host, since the http check says it as Host',
    ]);
    expect(load(['domain: shop.example-', 'check: tcp']).faults).toEqual([]);
    expect(load(['domain: shop.example-', 'check: { kind: http, headers: { Host: shop.example } }']).faults).toEqual(
      [],
    );
    expect(load(['domain: shop.example-', 'check: { kind: http, forwardDomain: false }']).faults).toEqual([]);
  });

  it('tells a kind that is no kind as it was written, alone or in a map', () => {
    const { faults } = load(['select: robin', 'check: { kind: ping }']);
    const said = faults.join('\n');
    expect(said).toMatch(/F:4: services\[0\]\.select: "robin" is wrong: expected .*'round-robin'/);
    expect(said).toMatch(/F:5: services\[0\]\.check\.kind: "ping" is wrong: expected .*'icmp'/);
  });

  it('needs a place for votes beside the table of HSDO', () => {
    const { faults } = load(['check: tcp'], { top: ['store: { kind: dynamodb, hsdoTable: slots }'] });
    expect(faults.join()).toContain('DYNAMODB_STORE_TABLE_NAME');
    expect(load(['check: tcp'], { top: ['store: { kind: dynamodb, hsdoTable: slots, table: rest }'] }).faults).toEqual(
      [],
    );
  });

  it('refuses a node that would fall silent between two heartbeats', () => {
    const top = ['cluster: { heartbeatSeconds: 20, nodeTtlSeconds: 30 }'];
    expect(load(['check: none'], { top }).faults).toEqual([
      'F:5: cluster.nodeTtlSeconds: 30 is wrong: expected at least twice heartbeatSeconds (20)',
    ]);
  });
});

describe('a secret in the configuration', () => {
  const withPassword = (text: string) => [`check: { kind: postgres, user: u, password: ${text} }`];
  const passwordOf = (loaded: ReturnType<typeof load>) => {
    const check = loaded.config?.services[0]?.check;
    return check?.kind === 'postgres' ? check.password?.reveal() : undefined;
  };

  it('comes from the environment or from a file, without its line end', () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'from file\n');
    expect(passwordOf(load(withPassword('{ env: PG_PASSWORD }'), { env: { PG_PASSWORD: 'from env' } }))).toBe(
      'from env',
    );
    expect(passwordOf(load(withPassword(`{ file: ${file} }`)))).toBe('from file');
    const headers = load(['check: { kind: http, headers: { Authorization: { env: AUTH } } }'], {
      env: { AUTH: 'Bearer x' },
    });
    expect(headers.faults).toEqual([]);
    expect(inspect(headers.config, { depth: null })).not.toContain('Bearer x');
  });

  it('that cannot be found is a fault of its own, by its place', () => {
    const [unset] = load(withPassword('{ env: PG_PASSWORD }')).faults;
    expect(unset).toBe(
      'F:4: services[0].check.password: expected a secret there: PG_PASSWORD is not set in the environment',
    );
    expect(load(withPassword('{ file: /nowhere/at/all }')).faults.join()).toContain('ENOENT');
  });

  it('is never shown in a fault, nor is a header or the body of a check', () => {
    const { faults } = load(['check: { kind: http, method: POST, headers: { X: [s3cret] }, body: [s3cret] }']);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join()).not.toContain('s3cret');
  });
});
