import { afterEach, describe, expect, it } from 'vitest';
import { type AgentProcess, startAgent } from '../fixtures/agent.ts';
import { type AgentServerStandIn, startAgentServer } from '../fixtures/agent-server.ts';
import { runHsdo } from '../fixtures/hsdo.ts';
import { startTarget, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startServer(options?: { takesLists: boolean }): Promise<AgentServerStandIn> {
  const server = await startAgentServer(options);
  ends.push(server.close);
  return server;
}

async function target(): Promise<TestTarget> {
  const one = await startTarget();
  ends.push(() => one.stop());
  return one;
}

async function agentOf(
  servers: readonly AgentServerStandIn[],
  more: Record<string, unknown> = {},
): Promise<AgentProcess> {
  const places = servers.map(({ url }, n) => ({
    name: `server${n + 1}`,
    url,
    token: `token-${n + 1}`,
    tags: ['test'],
  }));
  const agent = await startAgent('example', { servers: places, tasksSeconds: 0.2, batchSeconds: 0.05, ...more });
  ends.push(agent.remove);
  return agent;
}

/** As PyFailoverDNS’s master writes it. */
function taskFor({ address, port }: TestTarget, domain = 'web.failover') {
  const place = { check_name: `${domain}:${address}:${port}`, domain, target_ip: address, port };
  return { ...place, type: 'tcp', timeout_sec: 1, interval_sec: 0.2 };
}

/** The newest status that a server was told of a target. */
const lastOf = ({ taken }: AgentServerStandIn, { address }: TestTarget) =>
  taken.findLast(({ target_ip: ip }) => ip === address)?.status;

describe('an agent and PyFailoverDNS’s master', () => {
  it('does its tasks and reports each result by itself, with the token, as its own agents do', async () => {
    const [server, one, two] = [await startServer(), await target(), await target()];
    server.tasks = [taskFor(one), taskFor(two)];
    await agentOf([server]);
    await until('both are reported', () => lastOf(server, one) === 'ok' && lastOf(server, two) === 'ok');
    await two.stop();
    await until('one has failed', () => lastOf(server, two) === 'fail');
    expect(lastOf(server, one)).toBe('ok');
    await two.start();
    await until('it is there again', () => lastOf(server, two) === 'ok');

    expect(server.asked[0]).toMatchObject({ method: 'GET', path: '/api/v1/tasks?tags=test', token: 'token-1' });
    const report = server.taken.findLast(({ status }) => status === 'fail');
    expect(report).toMatchObject({
      agent_id: 'example',
      check_name: taskFor(two).check_name,
      domain: 'web.failover',
      type: 'tcp',
      port: two.port,
      latency_ms: null,
      code: 'refused',
    });
    expect(Math.abs(Date.parse(report?.timestamp ?? '') - Date.now())).toBeLessThan(60_000);
  });

  it('follows the tasks while it runs, and goes on with the last ones while the master is away', async () => {
    const [server, one, two] = [await startServer(), await target(), await target()];
    server.tasks = [taskFor(one)];
    const agent = await agentOf([server]);
    await until('the first is reported', () => lastOf(server, one) === 'ok');
    server.tasks = [taskFor(two, 'db.failover')];
    await until('the second is reported', () => lastOf(server, two) === 'ok');
    expect([...(await agent.metric('hsdo_agent_tasks')).values()]).toEqual([1]);

    await server.close();
    await until(
      'reports wait',
      async () => ((await agent.metric('hsdo_agent_unsent')).get('server="server1"') ?? 0) > 2,
    );
    await two.stop();
    await until('that is told', () => agent.log().includes('reporting to a server fails'));
    const before = server.taken.length;
    await server.open();
    await until('what happened meanwhile is known', () => lastOf(server, two) === 'fail');
    expect(server.taken.length).toBeGreaterThan(before);
    await until('nothing waits', async () => (await agent.metric('hsdo_agent_unsent')).get('server="server1"') === 0);
  });
});

describe('an agent of several servers', () => {
  it('reports to each what it wants to know, in lists where a server takes them, and misses none for another', async () => {
    const [lists, singly] = [await startServer({ takesLists: true }), await startServer()];
    const [one, two] = [await target(), await target()];
    two.setHealthy(false);
    const http = { kind: 'http', path: '/health', retries: 0 };
    lists.tasks = [taskFor(one), { ...taskFor(two), type: 'http', check: http }];
    singly.tasks = [taskFor(one, 'other.failover')];
    const agent = await agentOf([lists, singly]);
    await until('all is reported', () => lastOf(lists, two) === 'fail' && lastOf(singly, one) === 'ok');
    expect(lists.taken.find(({ type }) => type === 'http')).toMatchObject({ code: 'status', status: 'fail' });
    expect(new Set(singly.taken.map(({ domain }) => domain))).toEqual(new Set(['other.failover']));
    expect(new Set(lists.asked.map(({ token }) => token))).toEqual(new Set(['token-1']));

    await singly.close();
    const before = lists.taken.length;
    two.setHealthy(true);
    await until('the other one goes on', () => lists.taken.length > before + 2 && lastOf(lists, two) === 'ok');
    expect(agent.log()).not.toContain('token-');
  });

  it('leaves out a task that is wrong, says so once by its name, and does the others', async () => {
    const [server, one] = [await startServer({ takesLists: true }), await target()];
    const exec = { ...taskFor(one), check_name: 'evil', type: 'exec', check: { kind: 'exec', check: '/bin/true' } };
    server.tasks = [exec, { check_name: 'odd' }, 'nothing at all', taskFor(one)];
    const agent = await agentOf([server]);
    const questions = () => server.asked.filter(({ method }) => method === 'GET').length;
    await until('tasks were asked for often', () => questions() > 4 && lastOf(server, one) === 'ok');
    expect(agent.log().match(/tasks that cannot be done here/g)).toHaveLength(1);
    expect(agent.log()).toContain('it wants an executable run, which allowExec does not permit');
    expect(new Set(server.taken.map(({ check_name: name }) => name))).toEqual(new Set([taskFor(one).check_name]));
  });
});

describe('the process of an agent', () => {
  it('ends at once on SIGTERM, after a last try to send what waits', async () => {
    const [server, one] = [await startServer({ takesLists: true }), await target()];
    server.tasks = [{ ...taskFor(one), interval_sec: 3600 }];
    const agent = await agentOf([server], { batchSeconds: 3600 });
    await until('a report waits', async () => (await agent.metric('hsdo_agent_unsent')).get('server="server1"') === 1);
    expect(server.taken).toEqual([]);
    expect(await agent.stop()).toBe(0);
    expect(server.taken).toHaveLength(1);
    expect(agent.log()).toContain('hsdo stopped');
  });

  it('plays no other role beside, which is said with exit code 2', async () => {
    const { code, stderr } = await runHsdo(['--agent', '--dns', '--client']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^error: --agent runs alone.*--client/),
    });
  });

  it('says every fault of its file with exit code 78, as check-config --agent does', async () => {
    const conf = new URL('../../conf/', import.meta.url).pathname;
    const fine = await runHsdo(['check-config', '--agent', '-c', `${conf}agent.yaml`]);
    expect(fine).toMatchObject({ code: 0, stdout: expect.stringContaining('is fine: an agent of 1 server (server1)') });
    const wrong = ['-c', `${conf}examples/services.yaml`];
    const [run, check] = [await runHsdo(['--agent', ...wrong]), await runHsdo(['check-config', '--agent', ...wrong])];
    for (const { code, stderr } of [run, check]) {
      expect(code).toBe(78);
      expect(stderr).toContain('services.yaml: agent_id: missing');
      expect(stderr).toMatch(/services\.yaml:\d+: services: no such parameter/);
    }
  });
});
