import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dataOf } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { command, environment, type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { freePort } from '../fixtures/ports.ts';
import type { Program } from '../fixtures/program.ts';
import { type Building, build, buildingPrograms } from '../fixtures/rooms.ts';
import { startTarget, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const token = 'token-of-the-rooms';
const fallback = '192.0.2.99';
/** How the services count the same votes on the same targets: the server's and those of three agents. */
const policies = {
  any: { policy: 'any', missing: 'down' },
  quorum: { policy: 'quorum' },
  all: { policy: 'all' },
} as const;
type Policy = keyof typeof policies;

async function startStage(building: Building) {
  const [center, ...others] = building.hub;
  const targets: TestTarget[] = [];
  for (const address of others) targets.push(await startTarget({ address }));
  const [agentPort, dnsPort] = [await freePort(center), await freePort()];
  const services = Object.entries(policies).map(([name, vote]) => ({
    ...{ name, vote, size: 4, source: { kind: 'static', targets }, whenAllDown: { fallback: [fallback] } },
    check: { kind: 'tcp', intervalSeconds: 0.5, timeoutSeconds: 0.5, holdDown: { seconds: 0 } },
    agents: { token, freshSeconds: 3, leave: 'decommission' },
  }));
  const config = {
    services,
    intervalSeconds: 0.2,
    cluster: { leaseTtlSeconds: 1.5, heartbeatSeconds: 0.5, nodeTtlSeconds: 2 },
    dns: { domain: 'rooms.example', listen: [`127.0.0.1:${dnsPort}`] },
    api: { agents: { listen: `${center}:${agentPort}`, requestsPerSecond: 1000 } },
  };
  const hsdo = await startHsdo({ role: 'server', nodeId: 'center', config });
  return { targets, hsdo, url: `http://${center}:${agentPort}`, dns: { host: '127.0.0.1', port: dnsPort } };
}

describeWith([...buildingPrograms, 'dig'], 'three agents in rooms of their own around one server', () => {
  let building: Building;
  let stage: Awaited<ReturnType<typeof startStage>>;
  let [folder, hsdo]: [string, Hsdo] = ['', {} as Hsdo];
  let targets: readonly TestTarget[] = [];
  const agents: Program[] = [];
  const room = (n: number) => building.rooms[n] as Building['rooms'][number];
  const sorted = (addresses: readonly string[]) => addresses.toSorted((a, b) => a.localeCompare(b)).join();
  const answer = async (policy: Policy) => sorted(await dataOf(stage.dns, `${policy}.rooms.example`, 'A'));
  const both = () => sorted(targets.map(({ address }) => address));
  const says = (policy: Policy, wanted: string) =>
    until(`${policy} is ${wanted}`, async () => (await answer(policy)) === wanted, { timeoutMs: 30_000 });
  const freshAgents = async () =>
    (await hsdo.status()).observers.filter(({ kind, isFresh }) => kind === 'agent' && isFresh).map(({ id }) => id);
  /** That so many agents are heard. */
  const heard = (count: number) =>
    until(`${count} are heard`, async () => (await freshAgents()).length === count, { timeoutMs: 30_000 });

  beforeAll(async () => {
    building = await build(3);
    stage = await startStage(building);
    ({ hsdo, targets } = stage);
    folder = await mkdtemp(join(tmpdir(), 'hsdo-rooms-'));
    for (const [n, { name, start }] of building.rooms.entries()) {
      const servers = [{ name: 'center', url: stage.url, token, tags: [] }];
      const config = { agent_id: `agent-${n}`, servers, tasksSeconds: 1, batchSeconds: 0.2 };
      const file = join(folder, `${name}.yaml`);
      await writeFile(file, JSON.stringify(config));
      agents.push(start(process.execPath, [...command, '--agent', '--config', file], environment));
    }
    await heard(3);
    for (const policy of ['any', 'quorum', 'all'] as const) await says(policy, both());
  });
  afterEach(async () => {
    for (const { mend } of building?.rooms ?? []) await mend();
  });
  afterAll(async () => {
    for (const agent of agents) await agent.stop();
    await hsdo.remove?.();
    for (const target of targets) await target.stop();
    await building?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('take nothing away when one of them is cut off, and its silence does not keep a dead target in by quorum', async () => {
    await room(0).cut();
    await heard(2);
    for (const policy of ['any', 'quorum', 'all'] as const) expect(await answer(policy)).toBe(both());
    await targets[0]?.stop();
    await says('quorum', targets[1]?.address ?? '');
    await says('any', targets[1]?.address ?? '');
    await targets[0]?.start();
    await room(0).mend();
    await heard(3);
    for (const policy of ['any', 'quorum', 'all'] as const) await says(policy, both());
  });

  it('decide nothing when two of them are cut off, and a target that dies stays until enough are heard again', async () => {
    for (const n of [0, 1]) await room(n).cut();
    await heard(1);
    for (const policy of ['any', 'quorum', 'all'] as const) expect(await answer(policy)).toBe(both());
    await targets[0]?.stop();
    // Where silence is no, the two that are heard say no as well.
    await says('any', targets[1]?.address ?? '');
    expect(await answer('quorum')).toBe(both());
    for (const n of [0, 1]) await room(n).mend();
    await says('quorum', targets[1]?.address ?? '');
    await targets[0]?.start();
    await heard(3);
    for (const policy of ['any', 'quorum', 'all'] as const) await says(policy, both());
  });

  it('are counted as each service says when two of them cannot see the targets, and all is well when they can', async () => {
    const addresses = targets.map(({ address }) => address);
    for (const n of [0, 1]) await room(n).lose(100, addresses);
    await says('quorum', fallback);
    await says('all', fallback);
    expect(await answer('any')).toBe(both());
    expect(await freshAgents()).toHaveLength(3);
    for (const n of [0, 1]) await room(n).mend();
    for (const policy of ['quorum', 'all'] as const) await says(policy, both());
  });

  it('change nothing by any and by quorum while one of them loses a third of its packets', async () => {
    await room(2).lose(30);
    const startedAt = performance.now();
    while (performance.now() - startedAt < 8000) {
      for (const policy of ['any', 'quorum'] as const) expect(await answer(policy)).toBe(both());
    }
    await room(2).mend();
    await heard(3);
    await says('all', both());
  });
});
