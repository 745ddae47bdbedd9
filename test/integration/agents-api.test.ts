import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Reported, reportOf, type TestAgent, testAgent } from '../fixtures/agent-reports.ts';
import { dataOf } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { freePort } from '../fixtures/ports.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const token = 'token-of-web';
const quietToken = 'token-of-quiet';
const check = { kind: 'tcp', intervalSeconds: 0.2, rise: 1, fall: 1, holdDown: { seconds: 0 } };
const fallback = { fallback: ['192.0.2.250', '192.0.2.251'], ttlSeconds: 30 };

/** A server with an API for agents, two services, and DNS; real targets, and agents played by the test. */
async function startStage() {
  const targets = await startTargets(2);
  const [agentPort, dnsPort] = [await freePort(), await freePort()];
  const service = { size: 4, source: { kind: 'static', targets }, check, whenAllDown: fallback };
  const agents = { token, tags: 'north', freshSeconds: 300 };
  const quiet = {
    token: quietToken,
    freshSeconds: 1.5,
    intervalSeconds: 0.5,
    leave: 'decommission',
    ids: ['agent-21'],
  };
  const config = {
    services: [
      { ...service, name: 'web', domain: 'web.failover', agents },
      { ...service, name: 'quiet', vote: { policy: 'all', missing: 'down' }, agents: quiet },
    ],
    intervalSeconds: 0.1,
    cluster: { leaseTtlSeconds: 1.5, heartbeatSeconds: 0.5, nodeTtlSeconds: 2 },
    dns: { domain: 'svc.example.org', listen: [`127.0.0.1:${dnsPort}`] },
    api: { agents: { listen: `127.0.0.1:${agentPort}`, requestsPerSecond: 40, maxBodyBytes: 65_536 } },
  };
  const hsdo = await startHsdo({ role: 'server', nodeId: 'node-one', config });
  return { targets, hsdo, agentPort, dns: { host: '127.0.0.1', port: dnsPort } };
}

describeWith(['dig'], 'agents that report as those of PyFailoverDNS do', () => {
  let stage: Awaited<ReturnType<typeof startStage>>;
  let [hsdo, web, quiet]: [Hsdo, readonly Reported[], readonly Reported[]] = [{} as Hsdo, [], []];
  /** Each from an address of its own, as if it were somewhere else. */
  const agent = (n: number, key: string | undefined = token): TestAgent =>
    testAgent(stage.agentPort, `agent-${n}`, key, `127.0.0.${n}`);
  const three = () => [agent(11), agent(12), agent(13)];
  const placesOf = (domain: string, targets: readonly TestTarget[]) =>
    targets.map(({ address, port }) => ({ domain, address, port }));
  const answers = async (name: string) => (await dataOf(stage.dns, name, 'A')).sort().join();
  const allSay = async (agents: readonly TestAgent[], status: 'ok' | 'fail', on = web) => {
    for (const one of agents) for (const place of on) expect((await one.report(place, status)).code).toBe(200);
  };
  const addresses = () =>
    web
      .map(({ address }) => address)
      .sort()
      .join();
  const spare = fallback.fallback.join();

  beforeAll(async () => {
    stage = await startStage();
    hsdo = stage.hsdo;
    web = placesOf('web.failover', stage.targets);
    quiet = placesOf('quiet.svc.example.org', stage.targets);
    await until('the targets are served', async () => (await answers('web.failover')) === addresses());
  });
  afterAll(async () => {
    await hsdo.remove();
    for (const target of stage.targets) await target.stop();
  });

  it('are given the tasks of their token and tags, in the fields that they read', async () => {
    const { body } = await agent(11).get('/api/v1/tasks?tags=south,north');
    const [place] = web;
    expect(body['tasks']).toHaveLength(2);
    expect(body['tasks']).toContainEqual({
      check_name: `web.failover:${place?.address}:${place?.port}`,
      domain: 'web.failover',
      target_ip: place?.address,
      port: place?.port,
      type: 'tcp',
      timeout_sec: 1,
      interval_sec: 0.2,
      check: expect.objectContaining({ kind: 'tcp' }) as unknown,
    });
    expect((await agent(11).get('/api/v1/tasks')).body).toEqual({ tasks: [] });
  });

  it('are followed when they are a quorum: fallback appears in the API and in DNS, and goes', async () => {
    await allSay(three(), 'fail', web.slice(0, 1));
    await until('one of two is left', async () => (await answers('web.failover')) === web[1]?.address);
    await allSay(three(), 'fail');
    await until('the fallback answers', async () => (await answers('web.failover')) === spare);
    const { body } = await agent(11).get('/api/v1/status/web.failover');
    expect(body).toMatchObject({ check_type: 'tcp', live: false, fallback_ips: fallback.fallback });
    const { body: all } = await agent(11).get('/api/v1/status');
    const [status] = all['status'] as readonly object[];
    expect(status).toMatchObject({ domain: 'web.failover', using_fallback: true, live_ips: [] });
    await hsdo.stop();
    await hsdo.start();
    const seen = new Set<string>();
    const look = async () => seen.add((await answers('web.failover').catch(() => '')) || spare);
    await allSay([agent(11)], 'fail');
    await until('an agent is back', async () => {
      await look();
      return (await hsdo.status()).observers.some(({ lastSeenAt }) => lastSeenAt);
    });
    for (let n = 0; n < 10; n += 1) await look();
    expect([...seen]).toEqual([spare]);
    expect((await hsdo.status()).observers.filter(({ kind, isFresh }) => kind === 'agent' && isFresh)).toHaveLength(3);
    expect(await answers('web.failover')).toBe(spare);
    await allSay(three(), 'ok');
    await until('the targets are back', async () => (await answers('web.failover')) === addresses());
  });

  it('change nothing when one of three lies', async () => {
    const [liar, ...honest] = three();
    await allSay(honest, 'ok');
    const before = (await hsdo.status()).services.find(({ name }) => name === 'web')?.verdicts;
    for (let n = 0; n < 5; n += 1) await allSay([liar as TestAgent], 'fail');
    await until('the disagreement is shown', async () => {
      const { stdout } = await hsdo.cli('service', 'web');
      return stdout.includes('agent-11: error') && stdout.includes('in doubt');
    });
    const { stdout } = await hsdo.cli('status');
    expect(stdout).toMatch(
      /! web: observers disagree, or too many are silent, on target-\d+, target-\d+: hsdo service web/,
    );
    expect(stdout).toMatch(/agent-11 +votes +\d+ s +(in step|\d+ s behind) +timeout/);
    expect((await hsdo.status()).services.find(({ name }) => name === 'web')?.verdicts).toEqual(before);
    expect(await answers('web.failover')).toBe(addresses());
    await allSay([liar as TestAgent], 'ok');
  });

  it('are missing when they fall silent, which is no where the service says so, and count again when they speak', async () => {
    const one = agent(21, quietToken);
    const name = 'quiet.svc.example.org';
    await allSay([one], 'ok', quiet);
    await until('the agent is silent', async () => {
      const { observers } = await hsdo.status();
      return observers.some(({ id, abstains }) => id === one.id && abstains?.includes('has reported nothing'));
    });
    await until('silence is no', async () => (await answers(name)) === spare);
    expect((await hsdo.cli('service', 'quiet')).stdout).toMatch(/agent-21 .*agents\.ids/);
    await until('they serve again', async () => {
      await allSay([one], 'ok', quiet);
      return (await answers(name)) === addresses();
    });
  });

  it('are refused by name for what does not fit, and nothing of it counts', async () => {
    const one = agent(31);
    const [place] = web as [Reported];
    const codeOf = async (on: Reported, fields: object) => (await one.report(on, 'fail', fields)).code;
    expect((await agent(31, 'wrong-token').report(place, 'fail')).code).toBe(403);
    expect((await agent(31, quietToken).report(place, 'fail')).code).toBe(403);
    expect(await codeOf({ ...place, domain: 'nobody.failover' }, {})).toBe(404);
    expect(await codeOf({ ...place, address: '192.0.2.99' }, {})).toBe(422);
    expect(await codeOf(place, { status: true, port: 'x' })).toBe(422);
    expect(await codeOf(place, { agent_id: 'node-one' })).toBe(403);
    const stranger = await agent(31, quietToken).report(quiet[0] as Reported, 'fail');
    expect([stranger.code, stranger.body['detail']]).toEqual([403, expect.stringContaining('"agent-31"')]);
    expect(await codeOf(place, { timestamp: new Date(Date.now() + 3_600_000).toISOString() })).toBe(422);
    expect(await codeOf(place, { timestamp: new Date(Date.now() - 3_600_000).toISOString() })).toBe(422);
    expect(await codeOf(place, { age_sec: 1000 })).toBe(200);
    const big = await one.post(Buffer.alloc(10 * 1024 * 1024, 'x')).catch((error: Error) => error);
    expect(big instanceof Error ? 413 : big.code).toBe(413);
    const list = await one.post(JSON.stringify([reportOf('agent-31', place, 'ok'), { status: 'ok' }]));
    expect([list.code, list.body['accepted']]).toEqual([200, 1]);
    expect((await fetch(`${hsdo.api}/healthz`)).status).toBe(200);
    const counts = await hsdo.metric('hsdo_agent_api_reports_total');
    for (const outcome of [
      'wrong-token',
      'unknown-domain',
      'unknown-target',
      'unfit',
      'impostor',
      'untimely',
      'stranger',
      'late',
    ])
      expect([outcome, counts.get(`outcome="${outcome}"`)]).toEqual([outcome, expect.any(Number)]);
    expect((await hsdo.metric('hsdo_agent_api_requests_total')).get('path="/api/v1/report",code="413"')).toBe(1);
    expect(await answers('web.failover')).toBe(addresses());
  });

  it('are told to wait when they come too often, while others are heard', async () => {
    const flood = agent(41);
    const answered = await Promise.all(Array.from({ length: 400 }, () => flood.get('/api/v1/tasks')));
    const refused = answered.filter(({ code }) => code === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers['retry-after']).toMatch(/^\d+$/);
    await allSay([agent(11)], 'ok');
    expect((await fetch(`${hsdo.api}/healthz`)).status).toBe(200);
    expect(await answers('web.failover')).toBe(addresses());
  });
});
