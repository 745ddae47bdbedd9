import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, it } from 'vitest';
import { startFileSource } from '../fixtures/changing-source.ts';
import { showHaproxy, startCluster } from '../fixtures/cluster.ts';
import { describeWith } from '../fixtures/component.ts';
import { startConsul } from '../fixtures/consul.ts';
import { hsdoKeys, makeTable, rawClient } from '../fixtures/dynamodb.ts';
import { motoPrograms, startMoto } from '../fixtures/moto.ts';
import { startTargets } from '../fixtures/targets.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const long = 'n'.repeat(20_000);

/** Entries that no list may take, each with what the refusal says of it. */
const hostile: readonly (readonly [entry: Readonly<Record<string, unknown>>, reason: RegExp])[] = [
  [{ name: 'semicolon', address: '10.9.0.1;shutdown' }, /semicolon.*address/],
  [{ name: 'newline', address: '10.9.0.2\ndisable server web/web1' }, /newline.*address/],
  [{ name: 'payload <<', address: '10.9.0.3' }, /payload <</],
  [{ name: 'a;b', address: '10.9.0.4' }, /a;b/],
  [{ name: 'two\nlines', address: '10.9.0.5' }, /two.lines/],
  [{ name: long, address: '10.9.0.6' }, /nnnn/],
  [{ name: 'port-0', address: '10.9.0.7', port: 0 }, /port-0.*port is 0/],
  [{ name: 'port-70000', address: '10.9.0.8', port: 70_000 }, /port-70000.*port is 70000/],
  [{ name: 'weight-300', address: '10.9.0.9', port: 80, weight: 300 }, /weight-300.*weight is 300/],
  [{ name: 'nowhere' }, /nowhere.*address/],
  [{ name: 'text-port', address: '10.9.0.10', port: '80;' }, /text-port.*port/],
  [{ name: 'name-as-address', address: 'localhost' }, /name-as-address.*address/],
  [{ name: 'everywhere', address: '0.0.0.0' }, /everywhere.*address/],
];

describeWith(['haproxy', 'consul'], 'hostile values from every source at once', () => {
  it('are refused by name, and everything else goes on', async () => {
    const [file, consul, targets] = [await startFileSource(), await startConsul(), await startTargets(3)];
    closers.push(
      ...targets.map((one) => () => one.stop()),
      () => consul.stop(),
      () => file.remove(),
    );
    const [a, b, c] = targets.map(({ name, address, port }) => ({ name, address, port }));
    const twin = { ...a, name: 'twin' };
    const entries = hostile.map(([entry]) => entry);
    await file.write(JSON.stringify([...entries, a, twin, 7, null, { name: 'slip', adress: '10.9.1.1' }]));
    await consul.register({ ID: 'good', Name: 'shop', Address: c?.address ?? '', Port: c?.port ?? 0 });
    await consul.register({ ID: 'evil', Name: 'shop', Address: '10.9.2.1;quit', Port: 80 });
    await consul.register({ ID: 'heavy', Name: 'shop', Address: '10.9.2.2', Port: 80, Meta: { weight: '300' } });
    await consul.register({ ID: 'e;i', Name: 'shop', Address: '10.9.2.3', Port: 80 });
    await consul.register({ ID: 'copy', Name: 'shop', Address: a?.address ?? '', Port: a?.port ?? 0 });
    const source = [
      file.config,
      { kind: 'static', targets: [b] },
      { kind: 'consul', url: consul.url, services: ['shop'], waitSeconds: 1 },
    ];
    const cluster = await startCluster({ source: source as never });
    closers.push(() => cluster.remove());
    const pids = await Promise.all(cluster.haproxies.map((one) => one.workerPid()));
    await cluster.serving(targets.map(({ address }) => address));
    const { leader } = await cluster.roles();
    const status = (await leader.cli('status')).stdout;
    const lines = status.split('\n').filter((line) => line.startsWith('!'));
    const says = (...words: readonly RegExp[]) =>
      expect(
        lines.filter((line) => words.every((word) => word.test(line))),
        `${words.join()} in ${status}`,
      ).not.toEqual([]);
    for (const [, reason] of hostile) says(/source file /, reason);
    says(/source file/, /twin/);
    says(/source file/, /slip.*adress/);
    says(/source consul/, /10\.9\.2\.1;quit/);
    says(/source consul/, /weight is 300/);
    says(/source consul/, /e;i/);
    says(/copy|node-1/, new RegExp(a?.address.replaceAll('.', '\\.') ?? ''));
    for (const line of lines) expect(line.length).toBeLessThan(600);
    expect(await Promise.all(cluster.haproxies.map((one) => one.workerPid()))).toEqual(pids);
    expect((await showHaproxy(cluster.haproxies[0])).filter((row) => row.includes('10.9.'))).toEqual([]);
    expect(status).not.toContain(long.slice(0, 200));
  });
});

describeWith(['haproxy', ...motoPrograms], "an HSDO table that somebody's hand has damaged", () => {
  it('costs the damaged rows alone, by name', async () => {
    const [source, moto, targets] = [await startFileSource(), await startMoto(), await startTargets(2)];
    closers.push(
      ...targets.map((one) => () => one.stop()),
      () => moto.stop(),
      () => source.remove(),
    );
    const hsdoTable = await makeTable(moto, hsdoKeys);
    const client = rawClient(moto);
    closers.push(() => client.destroy());
    const row = (id: string, fields: Readonly<Record<string, string>>, weight = '3') =>
      client.send(
        new PutItemCommand({
          TableName: hsdoTable,
          Item: {
            BackendServerID: { N: id },
            ...Object.fromEntries(Object.entries(fields).map(([key, S]) => [key, { S }])),
            Weight: { N: weight },
          },
        }),
      );
    const [a, b] = targets;
    const good = { BackendServerStatus: 'enabled', ASG: 'web', LastWeightUpdate: '2020-11-12 17:29:08.597604' };
    await row('1', { ...good, IPAddress: a?.address ?? '', ServerName: a?.name ?? '' }, '300');
    await row('2', { ...good, IPAddress: '10.9.3.1;quit', ServerName: 'evil' });
    await row('3', { ...good, IPAddress: '10.9.3.2\nquit', ServerName: long });
    await row('4', { IPAddress: 'none' });
    await row('5', { ServerName: 'no address' });
    await row('6', { ...good, IPAddress: b?.address ?? '', ServerName: b?.name ?? '', LastWeightUpdate: 'yesterday' });
    await row('70000', { ...good, IPAddress: '10.9.3.3', ServerName: 'far' });
    await row('-1', { ...good, IPAddress: '10.9.3.4', ServerName: 'below' });
    await source.set(targets);
    const { endpoint, region, credentials } = moto;
    const cluster = await startCluster({
      source: source.config,
      store: { kind: 'dynamodb', hsdoTable, endpoint, region },
      env: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
    });
    closers.push(() => cluster.remove());
    const slots = await cluster.serving(targets.map(({ address }) => address));
    expect(slots.map((slot) => (slot.state === 'free' ? '-' : slot.target.address))).toEqual([
      a?.address,
      '-',
      '-',
      '-',
      '-',
      b?.address,
      '-',
      '-',
    ]);
    const { leader } = await cluster.roles();
    const status = (await leader.cli('status')).stdout;
    // Those of slots were told once and are written anew by now; what is no slot's stays for a person to remove.
    for (const named of ['evil', 'slot 3', 'slot 5', 'item 70000', 'item -1']) expect(leader.log()).toContain(named);
    for (const named of ['item 70000', 'item -1']) expect(status).toContain(`store: ${named} is left out`);
  });
});
