import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { showFault } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsdo-config-switch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Loads services, a line each. */
function load(...services: readonly string[]) {
  const file = join(folder, 'env.yaml');
  writeFileSync(file, ['services:', ...services.map((line) => `- { ${line} }`)].join('\n'));
  const { config, faults } = loadConfig({ file, env: { CF_TOKEN: 'token-of-cloudflare' } });
  return { config, faults: faults.map((fault) => showFault(fault).replaceAll(file, 'F')) };
}

const cloudflare = 'kind: cloudflare, apiToken: { env: CF_TOKEN }, zone: example.org';

describe('the switch of a service', () => {
  it('makes it active-passive where nothing is said about that, and takes its token from the environment', () => {
    const { config, faults } = load(
      `name: web, domain: example.org, switch: { ${cloudflare} }`,
      `name: api, switch: { ${cloudflare}, record: API.Example.org }, select: { kind: active-passive, failback: false }`,
    );
    expect(faults).toEqual([]);
    expect(config?.services).toMatchObject([
      { select: { kind: 'active-passive', failback: true, failbackSeconds: 60 }, switch: { proxied: true } },
      { select: { failback: false }, switch: { reconcileSeconds: 5, delaySeconds: 0, timeoutSeconds: 10 } },
    ]);
    const [web] = config?.services ?? [];
    expect(web?.switch?.kind === 'cloudflare' && web.switch.apiToken.reveal()).toBe('token-of-cloudflare');
    expect(JSON.stringify(config)).not.toContain('token-of-cloudflare');
  });

  it('is refused beside a selection of several targets', () => {
    expect(load(`name: web, domain: example.org, select: all, switch: { ${cloudflare} }`).faults).toEqual([
      'F:2: services[0].select: "all" is wrong: expected active-passive, since `switch` points at one target',
    ]);
  });

  it('needs a name within the zone, and one that no other service switches', () => {
    const { faults } = load(
      `name: a, switch: { ${cloudflare} }`,
      `name: b, domain: example.net, switch: { ${cloudflare} }`,
      `name: c, domain: c.example.org, switch: { ${cloudflare}, record: notexample.org }`,
      `name: d, domain: d.example.org, switch: { ${cloudflare} }`,
      `name: e, switch: { ${cloudflare}, record: D.example.org }`,
      'name: f, switch: { kind: google-cloud, project: shop-1, metadataKey: active }',
      'name: g, switch: { kind: google-cloud, project: shop-1, metadataKey: active }',
      'name: h, switch: { kind: exec, switch: ./switch }',
      'name: i, switch: { kind: exec, switch: ./switch }',
    );
    expect(faults).toEqual([
      'F:2: services[0].switch.record: missing: expected it, or the domain of the service',
      'F:3: services[1].domain: "example.net" is wrong: expected a name in the zone example.org',
      'F:4: services[2].switch.record: "notexample.org" is wrong: expected a name in the zone example.org',
      'F:6: services[4].switch: expected what no other service switches; service "d" has record d.example.org at Cloudflare',
      'F:8: services[6].switch: expected what no other service switches; service "f" has key active of project shop-1',
    ]);
  });

  it('names what is wrong in it, and hides the values of an environment', () => {
    const { faults } = load(
      'name: a, switch: { kind: route53 }',
      'name: b, domain: b.org, switch: { kind: exec, switch: /bin/true, env: { KEY: 5 }, timeoutSecond: 3 }',
    );
    expect(faults[0]).toMatch(/^F:2: services\[0\]\.switch\.kind: "route53" is wrong: expected .*cloudflare/);
    expect(faults).toContainEqual(expect.stringMatching(/services\[1\]\.switch\.env\.KEY: \*\*\* is wrong/));
    expect(faults).toContainEqual(
      expect.stringMatching(/timeoutSecond: no such parameter; did you mean timeoutSeconds\?/),
    );
  });
});
