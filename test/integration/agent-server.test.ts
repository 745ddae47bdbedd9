import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DomainDetail } from '../../src/agent/wire.ts';
import { type AgentProcess, startAgent } from '../fixtures/agent.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { freePort } from '../fixtures/ports.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const token = 'token-of-all';
const common = { intervalSeconds: 0.2, timeoutSeconds: 1, rise: 1, fall: 1, holdDown: { seconds: 0 } };
/** What each service is checked with; what is at its targets passes all of them. */
const checks = {
  tcp: { ...common, kind: 'tcp' },
  http: { ...common, kind: 'http', path: '/health', expectedCodes: '2XX', retries: 0 },
  ping: { ...common, kind: 'icmp' },
  script: { ...common, kind: 'exec', check: '/bin/true' },
};
type Name = keyof typeof checks;

interface Stage {
  readonly hsdo: Hsdo;
  readonly targets: readonly TestTarget[];
  readonly agent: AgentProcess;
  /** What the server tells of an address of a service by its agents. */
  told(service: Name, target: TestTarget): Promise<string | undefined>;
}

async function startStage(): Promise<Stage> {
  const targets = await startTargets(2);
  const agentPort = await freePort();
  const agents = { token, tags: ['here'], freshSeconds: 30 };
  const services = Object.entries(checks).map(([name, check]) => {
    const source = { kind: 'static', targets };
    return { name, size: 4, source, check, agents, vote: { policy: 'all', missing: 'undecided' } };
  });
  const config = {
    services,
    intervalSeconds: 0.1,
    cluster: { leaseTtlSeconds: 1.5, heartbeatSeconds: 0.5, nodeTtlSeconds: 2 },
    api: { agents: { listen: `127.0.0.1:${agentPort}`, requestsPerSecond: 200 } },
  };
  const hsdo = await startHsdo({ role: 'server', nodeId: 'node-one', config });
  const url = `http://127.0.0.1:${agentPort}`;
  const servers = [{ name: 'one', url, token, tags: 'here' }];
  const agent = await startAgent('berlin', { servers, tasksSeconds: 0.5, batchSeconds: 0.05, allowExec: true });
  return {
    hsdo,
    targets,
    agent,
    async told(service, { address }) {
      const headers = { 'X-API-Key': token };
      const response = await fetch(`${url}/api/v1/status/${service}`, { headers, signal: AbortSignal.timeout(5000) });
      const { ip_checks: checked } = (await response.json()) as DomainDetail;
      return checked[address]?.['berlin']?.status;
    },
  };
}

describeWith(['ping'], 'an agent and a server of hsdo', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(async () => {
    await stage.agent.remove();
    await stage.hsdo.remove();
    for (const target of stage.targets) await target.stop();
  });

  const isTold = (service: Name, target: TestTarget, status: 'ok' | 'fail') =>
    until(`${service} is told ${status}`, async () => (await stage.told(service, target)) === status, {
      timeoutMs: 40_000,
      everyMs: 50,
    });

  it('understand each other about every kind of check, with its options', async () => {
    for (const name of Object.keys(checks) as Name[])
      for (const target of stage.targets) await isTold(name, target, 'ok');
    expect(await stage.agent.metric('hsdo_agent_tasks')).toEqual(new Map([['server="one"', 8]]));
  });

  it('agree at once about a target that fails, each kind of check by what it asks', async () => {
    const [target] = stage.targets as [TestTarget];
    target.setHealthy(false);
    await isTold('http', target, 'fail');
    expect(await stage.told('tcp', target)).toBe('ok');
    await target.stop();
    await isTold('tcp', target, 'fail');
    expect(await stage.told('ping', target)).toBe('ok');
    await target.start();
    target.setHealthy(true);
    await isTold('http', target, 'ok');
    await isTold('tcp', target, 'ok');
  });

  it('go on over a restart of the server, and no report is refused for it', async () => {
    const [, target] = stage.targets as [TestTarget, TestTarget];
    await stage.hsdo.stop();
    await target.stop();
    const unsent = async () => (await stage.agent.metric('hsdo_agent_unsent')).get('server="one"') ?? 0;
    await until('reports wait', async () => (await unsent()) > 10);
    await stage.hsdo.start();
    await isTold('tcp', target, 'fail');
    await target.start();
    await isTold('tcp', target, 'ok');
    const reports = await stage.agent.metric('hsdo_agent_reports_total');
    expect([...reports.keys()].filter((labels) => labels.includes('refused'))).toEqual([]);
    expect(reports.get('server="one",outcome="accepted"')).toBeGreaterThan(20);
  });

  it('show the agent among those who vote', async () => {
    const { code, stdout } = await stage.hsdo.cli('service', 'tcp', '--json');
    expect(code).toBe(0);
    expect(stdout).toContain('berlin');
  });
});
