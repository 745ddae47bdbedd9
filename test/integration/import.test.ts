import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { testAgent } from '../fixtures/agent-reports.ts';
import { askDns, dataOf, type Place } from '../fixtures/ask-dns.ts';
import { startCloudflare } from '../fixtures/cloudflare.ts';
import { describeWith } from '../fixtures/component.ts';
import { startEtcd } from '../fixtures/etcd.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { environmentOf, importAndLoad, predecessorsExample } from '../fixtures/importing.ts';
import { freePort } from '../fixtures/ports.ts';
import { startProgram } from '../fixtures/program.ts';
import { redisPassword, sentinelPassword, startRedisCluster } from '../fixtures/redis.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

type Replacements = Readonly<Record<string, string>>;

const replaced = (text: string, replacements: Replacements) =>
  Object.entries(replacements).reduce((rest, [from, to]) => {
    expect(rest).toContain(from);
    return rest.replaceAll(from, to);
  }, text);

/**
 * Imports a predecessor's own example with other places in it, and runs what came of it. `after`: what hsdo alone has, and
 * shorter times than its predecessor takes.
 */
async function run(file: string, places: Replacements, after: Replacements, tell: (hsdo: Hsdo) => Promise<void>) {
  const imported = importAndLoad(replaced(predecessorsExample(file), places), file);
  expect(imported.complaints).toEqual([]);
  const config = parse(replaced(imported.text ?? '', after)) as Readonly<Record<string, unknown>>;
  const hsdo = await startHsdo({ role: 'server', nodeId: 'node-1', config, env: environmentOf(imported) });
  try {
    await tell(hsdo);
  } finally {
    await hsdo.remove();
  }
}

async function withTargets(tell: (one: TestTarget, two: TestTarget) => Promise<void>): Promise<void> {
  const targets = await startTargets(2, { port: await freePort() });
  const [one, two] = targets as [TestTarget, TestTarget];
  try {
    await tell(one, two);
  } finally {
    for (const target of targets) await target.stop();
  }
}

const at = (target: TestTarget) => `${target.address}:${target.port}`;
const local = (port: number): Place => ({ host: '127.0.0.1', port });

/** Waits until the addresses of a name are these, whatever their order. */
async function has(place: Place, name: string, addresses: readonly string[]): Promise<void> {
  const wanted = [...addresses].sort((one, other) => one.localeCompare(other)).join();
  const isSo = async () => {
    const found = (await dataOf(place, name, 'A')).sort((one, other) => one.localeCompare(other)).join();
    if (found !== wanted) throw new Error(`${name} is ${found || 'nowhere'}`);
    return true;
  };
  await until(`${name} is ${wanted || 'nowhere'}`, isSo, { timeoutMs: 30_000, everyMs: 50 });
}

const programs = ['dig', 'dnsmasq', 'redis-server', 'redis-sentinel', 'etcd'];

// They wait for most of their time, so they do it together.
describeWith(programs, "a predecessor's own example, imported and run", () => {
  it.concurrent("har's gives the nearest that is up, and all other names and types from elsewhere", () =>
    withTargets(async (east, west) => {
      const [port, upstream] = [await freePort(), await freePort()];
      const records = ['--txt-record=api.example.com,theirs', `--port=${upstream}`, '--listen-address=127.0.0.1'];
      const usual = [
        '-k',
        '--no-resolv',
        '--no-hosts',
        '--bind-interfaces',
        '--conf-file=/dev/null',
        '--pid-file=',
        '--user=root',
      ];
      const server = startProgram('dnsmasq', [...usual, ...records]);
      const places = {
        '198.51.100.10/': `${at(east)}/`,
        '203.0.113.10/': `${at(west)}/`,
        'check_frequency = 60': 'check_frequency = 0.3',
        '{ 127.0.0.1, ::1 }': `{ 127.0.0.1 } dns_listen_port = ${port}`,
      };
      west.setDelay(250);
      try {
        const after = { '[ 192.0.2.53, 192.0.2.54 ]': `[ "127.0.0.1:${upstream}" ]` };
        await run('har.conf', places, after, async () => {
          await has(local(port), 'api.example.com', [east.address]);
          expect((await askDns('dig', local(port), 'api.example.com', 'A')).answer).toEqual([
            `api.example.com. 0 A ${east.address}`,
          ]);
          expect(await dataOf(local(port), 'api.example.com', 'TXT')).toEqual(['"theirs"']);
          await east.stop();
          await has(local(port), 'api.example.com', [west.address]);
        });
      } finally {
        await server.stop();
      }
    }));

  it.concurrent("PyFailoverDNS's gives what an agent reaches, and the fallback when it reaches nobody", () =>
    withTargets(async (one, two) => {
      const [dnsPort, agentPort] = [await freePort(), await freePort()];
      const places = {
        'ip: 10.10.10.250\n              port: 443': `ip: ${one.address}\n              port: ${one.port}`,
        'ip: 10.10.10.251\n              port: 443': `ip: ${two.address}\n              port: ${two.port}`,
        '0.0.0.0': '127.0.0.1',
        'listen_port: 8053': `listen_port: ${dnsPort}`,
        'listen_port: 8000': `listen_port: ${agentPort}`,
        'interval_sec: 30': 'interval_sec: 1',
      };
      await run('pyfailoverdns.yaml', places, {}, async () => {
        const [name, place] = ['webmail.failover', local(dnsPort)];
        const agent = testAgent(agentPort, 'example', 'secret_token');
        expect((await agent.get('/api/v1/tasks?tags=test')).body['tasks']).toHaveLength(2);
        expect(
          (
            await testAgent(agentPort, 'example', 'another_token').report(
              { domain: name, address: one.address, port: one.port },
              'ok',
            )
          ).code,
        ).toBe(403);
        for (const target of [one, two]) {
          expect((await agent.report({ domain: name, address: target.address, port: target.port }, 'ok')).code).toBe(
            200,
          );
        }
        await has(place, name, [one.address, two.address]);
        await agent.report({ domain: name, address: one.address, port: one.port }, 'fail');
        await has(place, name, [two.address]);
        await agent.report({ domain: name, address: two.address, port: two.port }, 'fail');
        await has(place, name, ['10.10.10.254']);
        expect((await askDns('dig', place, name, 'A')).answer).toEqual([`${name}. 30 A 10.10.10.254`]);
      });
    }));

  it.concurrent("HAnoProxY's gives the master under its name, the next one when that dies, and what nobody declared", async () => {
    const [redis, port] = [await startRedisCluster(), await freePort()];
    const placeOf = (n: number, own: string) => `Addr: "${own}"\n        Port: "${n}"`;
    const places = {
      ...Object.fromEntries(
        redis.sentinels.map((sentinel, n) => [
          placeOf(26_379, `10.10.10.${n + 1}`),
          placeOf(sentinel.port, '127.0.0.1'),
        ]),
      ),
      'ListenPort: "53"': `ListenPort: "${port}"`,
      '0.0.0.0': '127.0.0.1',
      auth_pass: sentinelPassword,
    };
    // What the report says: hsdo asks the Redis itself, too, and this one wants a password.
    const after = { 'masterName: mymaster': `masterName: mymaster\n      password: ${redisPassword}` };
    try {
      await run('hanoproxy.yaml', places, after, async () => {
        const [name, place, master] = ['redis.ha.local', local(port), redis.redises[0]];
        const leadsTo = async () => Number((await dataOf(place, name, 'SRV')).join().split(' ')[2]);
        await until('the master is known', async () => (await leadsTo()) === master?.port, { timeoutMs: 30_000 });
        expect((await askDns('dig', place, name, 'A')).answer).toEqual([`${name}. 10 A 127.0.0.1`]);
        await has(place, 'nobody.ha.local', ['10.10.10.9']);
        await master?.kill();
        const isMoved = async () => {
          const found = await leadsTo();
          return redis.redises.some((one) => one !== master && one.port === found);
        };
        await until('the name leads to another one', isMoved, { timeoutMs: 30_000 });
      });
    } finally {
      await redis.stop();
    }
  });

  it.concurrent("dhaf's points the record at the first entry point that is up, and back to it at once", () =>
    withTargets(async (one, two) => {
      const [etcd, cloudflare] = await Promise.all([startEtcd(), startCloudflare('foo.com')]);
      const places = {
        'ip: 192.0.2.10': `ip: ${one.address}`,
        'ip: 192.0.2.20': `ip: ${two.address}`,
        'schema: http': `schema: http\n      port: ${one.port}`,
        'http://192.0.2.1:2379,http://192.0.2.2:2379,http://192.0.2.3:2379': etcd.endpoints.join(','),
        'cloudflare-token-of-foo': cloudflare.token,
        'node-name: node-1': 'node-name: node-1\n  tact-interval: 1',
      };
      const pointsAt = (target: TestTarget) =>
        until(
          `the record says ${target.address}`,
          () => JSON.stringify(cloudflare.shown('foo.com')) === JSON.stringify([`A ${target.address} proxied`]),
          { timeoutMs: 30_000, everyMs: 20 },
        );
      try {
        const after = {
          'zone: foo.com': `zone: foo.com, baseUrl: "${cloudflare.baseUrl}"`,
          'smtp.foo.com': '127.0.0.1',
        };
        await run('config-n1.dhaf', places, after, async (hsdo) => {
          await pointsAt(one);
          await one.stop();
          await pointsAt(two);
          await one.start();
          await pointsAt(one);
          expect((await hsdo.cli('status-dhaf')).stdout).toContain('node-1');
          // All are down: the record stays as it is.
          await two.stop();
          await one.stop();
          await until('nobody is up', async () =>
            (await hsdo.cli('status-service', '--service', 'main')).stdout.includes('panic'),
          );
          await pointsAt(one);
        });
      } finally {
        await Promise.all([etcd.stop(), cloudflare.stop()]);
      }
    }));
});
