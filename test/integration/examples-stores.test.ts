import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, it } from 'vitest';
import { makeCertificates } from '../fixtures/certificates.ts';
import { describeWith } from '../fixtures/component.ts';
import { startConsulCluster } from '../fixtures/consul-cluster.ts';
import { startEtcd } from '../fixtures/etcd.ts';
import { exampleSecrets, type RunningExample, startExample } from '../fixtures/examples.ts';
import { startTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Two servers with the same example; they end before what they need does. */
async function startBoth(
  name: string,
  settings: Omit<Parameters<typeof startExample>[1], 'nodeId'>,
): Promise<[RunningExample, RunningExample]> {
  const nodes = await Promise.all(['n1', 'n2'].map((nodeId) => startExample(name, { ...settings, nodeId })));
  for (const node of nodes) closers.push(() => node.remove());
  return nodes as [RunningExample, RunningExample];
}

async function makeTlsFiles() {
  const certificates = await makeCertificates();
  const folder = await mkdtemp(join(tmpdir(), 'hsdo-example-tls-'));
  closers.push(
    () => certificates.remove(),
    () => rm(folder, { recursive: true, force: true }),
  );
  const files = { ca: certificates.caFile, cert: join(folder, 'good.pem'), key: join(folder, 'good.key') };
  await writeFile(files.cert, certificates.good.cert);
  await writeFile(files.key, certificates.good.key);
  return files;
}

describeWith(['etcd', 'openssl'], 'the example etcd, run as it stands by two servers with a login over TLS', () => {
  it('fails over, and goes on while a member of etcd is dead', async () => {
    const tls = await makeTlsFiles();
    const [first, second, etcd] = await Promise.all([startTarget(), startTarget(), startEtcd(tls)]);
    closers.push(
      () => first.stop(),
      () => second.stop(),
      () => etcd.stop(),
    );
    await etcd.enableAuth('root-pw');
    await etcd.addUser('hsdo', exampleSecrets.ETCD_PASSWORD, { key: 'hsdo/', end: 'hsdo0' });
    const [one, two] = await startBoth('etcd', {
      replacements: {
        'address: 192.0.2.10, port: 80': `address: ${first.address}, port: ${first.port}`,
        'address: 192.0.2.20, port: 80': `address: ${second.address}, port: ${second.port}`,
        '"https://192.0.2.1:2379", "https://192.0.2.2:2379", "https://192.0.2.3:2379"': etcd.endpoints
          .map((endpoint) => `"${endpoint}"`)
          .join(),
        '/etc/hsdo/etcd-ca.pem': tls.ca,
        'intervalSeconds: 2': 'intervalSeconds: 0.2',
        'heartbeatSeconds: 5': 'heartbeatSeconds: 0.5',
        'nodeTtlSeconds: 30': 'nodeTtlSeconds: 3',
        'leaseTtlSeconds: 10': 'leaseTtlSeconds: 4',
      },
    });
    await two.shows('the first entry point serves', { 'ep-1': 'up, serves', 'ep-2': 'up' });
    etcd.signal(0, 'SIGKILL');
    await first.stop();
    for (const node of [one, two]) {
      await node.shows('the second one serves', { 'ep-1': 'refused', 'ep-2': 'up, serves' });
    }
  });
});

describeWith(['consul'], 'the example consul-store, run as it stands by two servers', () => {
  it('publishes what the catalog holds, as the tokens allow', async () => {
    const consul = await startConsulCluster();
    closers.push(() => consul.stop());
    const { endpoints } = consul;
    await consul.call('PUT', '/agent/service/register', { ID: 'web-1', Name: 'web', Address: '10.0.0.1', Port: 80 });
    const env = {
      CONSUL_SOURCE_TOKEN: await consul.createToken(
        'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }',
      ),
      CONSUL_STORE_TOKEN: await consul.createToken('key_prefix "hsdo/" { policy = "write" }'),
    };
    const replacements = { 'http://127.0.0.1:8500': endpoints[1] ?? '', 'leaseTtlSeconds: 10': 'leaseTtlSeconds: 2' };
    const nodes = await startBoth('consul-store', { replacements, env });
    const shows = (node: RunningExample, count: number) =>
      until(`${count} slots are taken`, async () => {
        const taken = (await node.hsdo.slots('web')).filter(({ state }) => state === 'taken');
        return taken.length === count;
      });
    for (const node of nodes) await shows(node, 1);
    await consul.call('PUT', '/agent/service/register', { ID: 'web-2', Name: 'web', Address: '10.0.0.2', Port: 80 });
    for (const node of nodes) await shows(node, 2);
    const leader = nodes[(await nodes[0].hsdo.status()).lease?.holder === 'n1' ? 0 : 1] as RunningExample;
    const other = nodes.find((node) => node !== leader) as RunningExample;
    await leader.hsdo.kill();
    await consul.call('PUT', '/agent/service/register', { ID: 'web-3', Name: 'web', Address: '10.0.0.3', Port: 80 });
    await shows(other, 3);
  });
});
