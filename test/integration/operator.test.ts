import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFileSource } from '../fixtures/changing-source.ts';
import { type Cluster, showHaproxy, startCluster } from '../fixtures/cluster.ts';
import { describeWith } from '../fixtures/component.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const addresses = (targets: readonly TestTarget[]) => targets.map(({ address }) => address);

describeWith(['haproxy'], 'an operator at the command line of a whole cluster', () => {
  let cluster: Cluster;
  let source: Awaited<ReturnType<typeof startFileSource>>;
  let targets: TestTarget[];

  beforeAll(async () => {
    source = await startFileSource();
    targets = await startTargets(4);
    await source.set(targets);
    cluster = await startCluster({ source: source.config });
    await cluster.serving(addresses(targets));
  });
  afterAll(async () => {
    await cluster?.remove();
    await source?.remove();
    for (const one of targets ?? []) await one.stop();
  });

  it('tells status and slots on the command line', async () => {
    const { leader, follower } = await cluster.roles();
    for (const server of [leader, follower]) {
      const status = await server.cli('status', '--exit-code');
      expect(status).toMatchObject({ code: 0, stderr: '' });
      expect(status.stdout).toContain('all in order');
      expect(status.stdout).toContain(`leader  ${leader.nodeId}`);
      expect(status.stdout).toContain('client-1');
      const slots = await server.cli('slots', 'web');
      for (const { address } of targets) expect(slots.stdout).toContain(address);
    }
    const unknown = await leader.cli('slots', 'shop');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('no service is called "shop"');
  });

  it('takes overrides from the command line of either server to both HAProxies', async () => {
    const { leader, follower } = await cluster.roles();
    const target = targets[2] as TestTarget;
    const id = target.name;
    const index = (await cluster.list()).find((one) => one.state === 'taken' && one.target.id === id)?.index ?? 0;
    const shown = (pattern: RegExp) =>
      until(`slot ${index} is like ${pattern}`, async () =>
        (await Promise.all(cluster.haproxies.map(showHaproxy))).every((rows) => pattern.test(rows[index - 1] ?? '')),
      );
    expect(await follower.cli('override', 'web', id, 'drain')).toMatchObject({ code: 0, stderr: '' });
    await shown(/ drain /);
    expect(await leader.cli('override', 'web', id, 'maint')).toMatchObject({ code: 0 });
    await shown(/ maint$/);
    expect(await leader.cli('override', 'web', id, 'none')).toMatchObject({ code: 0 });
    await shown(/ ready 4 up$/);
    expect(await leader.cli('override', 'web', 'nobody', 'drain')).toMatchObject({ code: 1 });
    expect(await leader.cli('override', 'web', id, 'sleep')).toMatchObject({ code: 2 });
  });

  it('shows a slot that somebody holds in HAProxy, and ends the hold on demand', async () => {
    const { leader } = await cluster.roles();
    const id = (targets[0] as TestTarget).name;
    const index = (await cluster.list()).find((one) => one.state === 'taken' && one.target.id === id)?.index ?? 0;
    await cluster.haproxies[1].ask(`set server web/web${index} state maint`);
    await until('status names the hold', async () =>
      (await leader.cli('status')).stdout.includes(`web/${index} maint`),
    );
    expect((await showHaproxy(cluster.haproxies[1]))[index - 1]).toBe(`${index} maint`);
    expect(await leader.cli('override', 'web', id, 'ready')).toMatchObject({ code: 0 });
    await cluster.serving(addresses(targets));
    expect(await leader.cli('override', 'web', id, 'none')).toMatchObject({ code: 0 });
    await until('no override is left', async () =>
      (await cluster.list()).every((slot) => slot.state !== 'taken' || slot.override === undefined),
    );
  });

  it('reads that the guard holds, and lets go with the token that status shows', async () => {
    const { leader } = await cluster.roles();
    await source.set(targets.slice(0, 1));
    const token = await until('the guard holds', async () => (await leader.status()).services[0]?.hold?.token);
    const status = await leader.cli('status', '--exit-code');
    expect(status.code).toBe(3);
    expect(status.stdout).toContain(`hsdo release web ${token}`);
    const refused = await leader.cli('release', 'web', 'hold-other');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(token);
    await cluster.serving(addresses(targets));
    expect(await leader.cli('release', 'web', token)).toMatchObject({ code: 0 });
    await cluster.serving(addresses(targets.slice(0, 1)));
  });
});
