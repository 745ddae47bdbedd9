import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeView } from '../../src/api/cluster-view.ts';
import type { ServiceDetail } from '../../src/api/view.ts';
import { runCliHere } from '../fixtures/cli.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { type ApiDocument, answerFaults } from '../fixtures/openapi.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

/** Two servers on one file: `web` points at one target, `plain` has no check and points at all. */
describe('the API and the command line of two servers', () => {
  let one: Hsdo;
  let two: Hsdo;
  let targets: TestTarget[];
  const cli = (...args: string[]) => runCliHere(['--api', one.api, ...args]);
  const shown = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli(...args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  const get = async (path: string) => {
    const answer = await fetch(`${one.api}${path}`);
    return { status: answer.status, content: (await answer.json()) as unknown };
  };
  const web = async () => (await get('/api/v1/services/web')).content as ServiceDetail;
  const nodes = async () => ((await get('/api/v1/nodes')).content as { nodes: readonly NodeView[] }).nodes;

  beforeAll(async () => {
    process.env['USER'] = 'ann';
    targets = await startTargets(3);
    const written = targets.map(({ id, name, address, port }, n) => ({ id, name, address, port, priority: 30 - n }));
    const check = { kind: 'tcp', intervalSeconds: 0.1, timeoutSeconds: 0.5, rise: 1, fall: 2 };
    const config = {
      services: [
        { name: 'web', source: { kind: 'static', targets: written }, check, select: 'active-passive', size: 4 },
        { name: 'plain', source: { kind: 'static', targets: written }, size: 4 },
      ],
      cluster: { leaseTtlSeconds: 2, heartbeatSeconds: 0.2, nodeTtlSeconds: 1 },
      intervalSeconds: 0.1,
    };
    one = await startHsdo({ role: 'server', nodeId: 'one', config });
    two = await startHsdo({
      role: 'server',
      nodeId: 'two',
      config: { ...config, store: { kind: 'sqlite', path: `${one.folder}/state/hsdo.db` } },
    });
    await until('web points at its first target', async () => (await web()).active === targets[0]?.id);
    await until('both vote', async () => (await nodes()).filter(({ isHealthy }) => isHealthy).length === 2);
  });
  afterAll(async () => {
    await two?.remove();
    await one?.remove();
    for (const target of targets ?? []) await target.stop();
  });

  it('answers every question as its own document tells', async () => {
    const document = (await get('/api/v1/openapi.json')).content as ApiDocument;
    const faultsOf = answerFaults(document);
    const asked = Object.entries(document.paths).flatMap(([path, methods]) => ('get' in methods ? [path] : []));
    expect(asked.length).toBeGreaterThan(12);
    for (const path of asked) {
      for (const service of path.includes('{service}') ? ['web', 'plain', 'nosuch'] : ['']) {
        const { status, content } = await get(path.replace('{service}', service));
        expect(faultsOf(path, 'GET', status, content)).toEqual([]);
        expect([path, status]).toEqual([path, service === 'nosuch' ? 404 : 200]);
      }
    }
  });

  it('lists the cluster, its nodes and its services, with those that check nothing', async () => {
    const answer = (await get('/api/v1/cluster')).content;
    expect(answer).toMatchObject({ name: 'hsdo', node: 'one', nodes: 2, problems: [] });
    expect((await nodes()).filter(({ isLeader }) => isLeader)).toHaveLength(1);
    const listed = await shown('nodes');
    expect(listed).toMatch(/one +server .* healthy/);
    expect(listed).toMatch(/two +server .* healthy/);
    expect(await shown('status-dhaf')).toContain('cluster hsdo, led by ');
    const services = await shown('services');
    expect(services).toMatch(/web +ok /);
    expect(services).toMatch(/plain +ok +- /);
    expect(JSON.parse(await shown('status-service', '--json'))).toMatchObject({
      services: [{ name: 'web' }, { name: 'plain' }],
    });
  });

  it('switches over to a candidate and back, and says what became of it', async () => {
    const [first, second, third] = targets as [TestTarget, TestTarget, TestTarget];
    const candidates = JSON.parse(await shown('candidates', 'web', '--json')) as { candidates: { name: string }[] };
    expect(candidates.candidates.map(({ name }) => name)).toEqual([second.name, third.name]);
    expect(JSON.parse(await shown('switchover-candidates', '--service', 'web', '--json'))).toEqual(candidates);
    expect(await shown('switchover', 'web', third.name)).toBe(`done: web points at ${third.name}\n`);
    expect(await shown('services')).toMatch(new RegExp(`^web +ok +${third.name} `, 'm'));
    expect(await shown('candidates', 'web')).toMatch(new RegExp(`^active ${third.name}$`, 'm'));
    expect(await web()).toMatchObject({ active: third.id, switchover: { targetName: third.name, by: 'ann' } });
    expect(await shown('service', 'web')).toContain(`switchover ${third.name}, by ann`);
    const told = () => shown('events', '--service', 'web');
    // Events are differences between two looks: a wish that was purged before the first one is told as its end alone.
    await until('the events tell of it', async () => /switchover +\S+ .*by ann/.test(await told()));
    expect(await shown('purge', 'web')).toBe('done: web: no switchover counts any more\n');
    expect((await cli('purge', 'web')).stderr).toContain('service "web" has no switchover');
    expect(await shown('switchover-to', first.name, '--service', 'web')).toContain(`points at ${first.name}`);
    expect(await shown('switchover-purge')).toContain('done: web');
    await until('the events tell of its end', async () => (await told()).includes('switchover-purged'));
    expect((await cli('events', '--service', 'webb')).stderr).toContain('did you mean web?');
  });

  it('puts a service as a whole under maintenance and ends that', async () => {
    expect(await shown('maintenance', 'web', '90')).toBe('asked: web maintenance for 90 min\n');
    await until('it stands in the list', async () => (await web()).maintenanceUntilAt);
    expect(await shown('service', 'web')).toMatch(/maintenance until .*nobody is told/);
    expect(await shown('maintenance', 'web', 'off')).toBe('asked: web maintenance off\n');
    await until('it is over', async () => (await web()).maintenanceUntilAt === undefined);
    expect(await cli('maintenance', 'web', '1.5')).toMatchObject({ code: 2 });
    expect((await cli('maintenance', 'webb', '5')).code).toBe(1);
  });

  it('refuses a switchover that cannot be, with the reason', async () => {
    const [, second] = targets as [TestTarget, TestTarget];
    const refusal = async (...args: string[]) => {
      const { code, stderr } = await cli('switchover', ...args);
      expect(code).toBe(1);
      return stderr;
    };
    expect(await refusal('plain', second.name)).toContain('(409): Cannot switch "plain" over');
    expect(await refusal('web', 'nobody')).toContain('its list has no such target');
    expect(await refusal('webb', second.name)).toContain('no service is called "webb"; did you mean web?');
    await shown('override', 'web', second.name, 'maint');
    await until('it is held', async () => (await web()).targets.some(({ override }) => override === 'maint'));
    expect(await refusal('web', second.name)).toContain('an operator has it in maint');
    expect(await shown('overrides')).toMatch(new RegExp(`web +${second.id} +maint +ann`));
    await shown('override', 'web', second.name, 'none');
  });

  it('shows too few voters as no quorum, until the silent one is decommissioned', async () => {
    expect((await cli('decommission', 'two')).stderr).toContain('it lives');
    await two.kill();
    await until('web has no quorum', async () => (await web()).state === 'no-quorum');
    expect((await get('/readyz')).content).toMatchObject({ status: 'not ready' });
    expect(await shown('nodes')).toMatch(/two +server .* silent/);
    expect((await one.metric('hsdo_service_quorum')).get('service="web"')).toBe(0);
    const status = await cli('status', '--exit-code');
    expect([status.code, status.stdout]).toEqual([3, expect.stringContaining('no quorum: 1 of 2 observers vote')]);
    expect(await shown('node-decommission', 'two')).toBe('done: two is struck off\n');
    await until('web is in order', async () => (await web()).state === 'ok');
    expect(await nodes()).toHaveLength(1);
  });

  it('has kept who changed what', async () => {
    const entries = (JSON.parse(await shown('audit', '--json')) as { entries: Record<string, unknown>[] }).entries;
    expect(entries.map(({ action }) => action)).toEqual([
      'decommission',
      'override-ended',
      'override',
      'maintenance-ended',
      'maintenance',
      'purge',
      'switchover',
      'purge',
      'switchover',
    ]);
    expect(entries.at(-1)).toMatchObject({
      by: 'ann',
      from: '127.0.0.1',
      node: 'one',
      service: 'web',
      target: targets[2]?.id,
    });
    expect((await shown('audit', '--limit', '1')).split('\n')).toHaveLength(3);
    expect((await cli('audit', '--limit', '0')).code).toBe(2);
  });
});
