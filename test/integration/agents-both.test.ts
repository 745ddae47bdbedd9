import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceDetail } from '../../src/api/view.ts';
import { type AgentProcess, startAgent } from '../fixtures/agent.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { freePort } from '../fixtures/ports.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const token = 'token-of-web';

describe('agents of hsdo and their server', () => {
  let [targets, agents]: [TestTarget[], AgentProcess[]] = [[], []];
  let hsdo: Hsdo;
  const detail = async () => (await (await fetch(`${hsdo.api}/api/v1/services/web`)).json()) as ServiceDetail;
  /** Who votes on the n-th target, and how. */
  const votesOn = async (n: number) => {
    const target = (await detail()).targets.find(({ name }) => name === targets[n]?.name);
    return (target?.votes ?? []).map(({ observer, code }) => `${observer} ${code}`).sort((x, y) => (x < y ? -1 : 1));
  };
  const all = (code: string) => ['east', 'node', 'west'].map((observer) => `${observer} ${code}`).join();

  beforeAll(async () => {
    targets = await startTargets(2);
    const port = await freePort();
    const service = {
      name: 'web',
      size: 4,
      source: { kind: 'static', targets },
      // Only the server knows targets by name; agents must be told of this one by its address.
      check: {
        kind: 'http',
        path: '/health',
        intervalSeconds: 0.3,
        timeoutSeconds: 2,
        holdDown: { seconds: 0 },
        targets: { [targets[1]?.name ?? '']: { path: '/other' } },
      },
      agents: { token, tags: ['edge'], freshSeconds: 5 },
    };
    const config = {
      services: [service],
      intervalSeconds: 0.2,
      api: { agents: { listen: `127.0.0.1:${port}`, requestsPerSecond: 1000 } },
    };
    hsdo = await startHsdo({ role: 'server', nodeId: 'node', config });
    const server = { name: 'one', url: `http://127.0.0.1:${port}`, token, tags: ['edge'] };
    const settings = { servers: [server], tasksSeconds: 0.5, batchSeconds: 0.1 };
    agents = await Promise.all(['east', 'west'].map((id) => startAgent(id, settings)));
  });
  afterAll(async () => {
    for (const agent of agents) await agent.remove();
    await hsdo?.remove();
    for (const target of targets) await target.stop();
  });

  it('agree on what is up, each target asked as the check has it', async () => {
    for (const n of [0, 1]) await until('all vote', async () => (await votesOn(n)).join() === all('ok'));
    expect(targets[1]?.requests()).toBeGreaterThan(0);
    expect(targets[1]?.checks()).toBe(0);
  });

  it('agree on what is down and why, and on its return', async () => {
    await targets[0]?.stop();
    await until('all say no', async () => (await votesOn(0)).join() === all('refused'));
    await until('it is down', async () => (await detail()).verdicts?.down === 1);
    await targets[0]?.start();
    await until('all say yes', async () => (await votesOn(0)).join() === all('ok'));
  });

  it('go on over a restart of the server, and are known to it again', async () => {
    await hsdo.stop();
    await hsdo.start();
    await until('all vote', async () => (await votesOn(0)).join() === all('ok'), { timeoutMs: 30_000 });
    expect((await detail()).verdicts).toEqual({ up: 2, down: 0, undecided: 0 });
    const { observers } = await hsdo.status();
    expect(observers.map(({ id, kind }) => `${id} ${kind}`)).toEqual(['east agent', 'node server', 'west agent']);
  });

  it('leave when they are gone for as long as a report counts', async () => {
    await agents[0]?.stop();
    await until('it has left', async () => !(await hsdo.status()).observers.some(({ id }) => id === 'east'), {
      timeoutMs: 30_000,
    });
    expect((await votesOn(0)).join()).toBe('node ok,west ok');
    expect((await hsdo.metric('hsdo_agents')).get('')).toBe(1);
  });
});
