import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkSchema } from '../../../src/check/health-checks.ts';
import { agentDomainOf } from '../../../src/config/agents.ts';
import { secretIn } from '../../../src/config/agents-faults.ts';
import { showFault } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsdo-config-agents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Loads services, a line each, and further lines of the top level. */
function load(services: readonly string[], top: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, 'env.yaml');
  writeFileSync(file, ['services:', ...services.map((line) => `- { ${line} }`), ...top].join('\n'));
  const { config, faults } = loadConfig({ file, env });
  return { config, faults: faults.map((fault) => showFault(fault).replaceAll(file, 'F')) };
}
const open = ['api: { agents: { listen: "0.0.0.0:8000" } }'];

describe('agents in a configuration', () => {
  it('need nothing but a check, and take over what PyFailoverDNS says of them', () => {
    const { config, faults } = load(
      [
        'name: web, check: tcp, agents: {}',
        'name: mail, check: tcp, agents: { token: {env: MAIL}, tags: "north  south", intervalSeconds: 30, timeoutSeconds: 5 }',
      ],
      [],
      { MAIL: 'secret_token' },
    );
    expect(faults).toEqual([]);
    expect(config?.api.agents).toEqual({ listen: 'off', maxBodyBytes: 1_048_576, requestsPerSecond: 50 });
    const [web, mail] = config?.services.map(({ agents }) => agents) ?? [];
    expect(web).toEqual({ tags: [], freshSeconds: 60, leave: 'timeout', only: false });
    expect(mail).toMatchObject({ tags: ['north', 'south'], intervalSeconds: 30, timeoutSeconds: 5 });
    expect([mail?.token?.reveal(), String(mail?.token)]).toEqual(['secret_token', '***']);
  });

  it('come from elsewhere only with a token of each service that they report on', () => {
    const [fault, ...more] = load(
      ['name: a, check: tcp, agents: { token: long-enough }', 'name: b, check: tcp, agents: {}', 'name: c'],
      open,
    ).faults;
    expect(more).toEqual([]);
    expect(fault).toBe(
      'F:3: services[1].agents.token: missing: agents are listened for at 0.0.0.0:8000, where anybody could report',
    );
    const local = ['api: { agents: { listen: "127.0.0.1:8000" } }'];
    expect(load(['name: b, check: tcp, agents: {}'], local).faults).toEqual([]);
  });

  it('are of no use without a check, without a service, or with reports that run out before the next', () => {
    expect(load(['name: a, agents: {}']).faults).toEqual([
      'F:2: services[0].agents: expected check beside it: agents run the check of the service',
    ]);
    expect(load(['name: a, check: { kind: module, path: ./own.ts, options: { key: x } }, agents: {}']).faults).toEqual([
      'F:2: services[0].agents: expected a check of another kind: the file of a module is on this machine, and its options are not handed out',
    ]);
    expect(load(['name: a'], open).faults).toEqual([
      expect.stringMatching(/listen: "0\.0\.0\.0:8000" is wrong.*nobody/),
    ]);
    const late = 'name: a, check: tcp, agents: { intervalSeconds: 30, freshSeconds: 30 }';
    expect(load([late]).faults).toEqual([expect.stringMatching(/agents\.freshSeconds: 30 is wrong: .* 30 s/)]);
  });

  it('are never handed a secret', () => {
    const faults = (check: string) => load([`name: a, check: { ${check} }, agents: {}`]).faults;
    expect(faults('kind: http, headers: { X-Key: swordfish }')).toEqual([
      'F:2: services[0].agents: expected a check without secrets, which are never handed out: check.headers.X-Key is one',
    ]);
    expect(faults('kind: tcp, send: PING')[0]).toContain('check.send is one');
    expect(faults('kind: postgres, user: u, targets: { a: { password: p } }')[0]).toContain('check.targets.a.password');
    expect(faults('kind: exec, check: ./check.sh')).toEqual([]);
    expect(secretIn(checkSchema.parse({ kind: 'http' }))).toBeUndefined();
  });

  it('can be the only ones that check, where somebody listens for them, and be named each once', () => {
    const faults = (agents: string, top: readonly string[] = []) =>
      load([`name: a, check: tcp, agents: { token: long-enough, ${agents} }`], top).faults;
    expect(faults('only: true, ids: [a, b]', open)).toEqual([]);
    expect(faults('only: true')).toEqual([
      'F:2: services[0].agents.only: true is wrong: expected api.agents.listen beside it: nobody else checks this service',
    ]);
    expect(faults('ids: [a, b, a]', open)).toEqual([expect.stringMatching(/agents\.ids.*expected each name once/)]);
    expect(faults('ids: [n1]', [...open, 'cluster: { nodeId: n1 }'])).toEqual([
      'F:2: services[0].agents.ids: expected names of agents: "n1" is this server',
    ]);
  });

  it('know a service by a domain that no other service has', () => {
    const faults = load(
      ['name: a, domain: X.example.org., check: tcp, agents: {}', 'name: x, check: tcp, agents: {}'],
      ['dns: { domain: example.org }'],
    ).faults.filter((fault) => fault.includes('agents know'));
    expect(faults).toEqual([
      'F:3: services[1].name: expected a domain of its own: agents know service "a" by x.example.org',
    ]);
    expect(agentDomainOf({ name: 'Web' }, undefined)).toBe('web');
    expect(agentDomainOf({ name: 'Web' }, { domain: 'svc.example.org' })).toBe('web.svc.example.org');
  });
});
