import { expect, it } from 'vitest';
import { askDns, dataOf, type Place } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { type RunningExample, startExample } from '../fixtures/examples.ts';
import { freePort } from '../fixtures/ports.ts';
import { type Program, startProgram } from '../fixtures/program.ts';
import { redisPassword, sentinelPassword, startRedisCluster } from '../fixtures/redis.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

/** What a story can ask. */
interface Stage {
  readonly example: RunningExample;
  /** IPv4, and IPv6 where the example listens there. */
  readonly four: Place;
  readonly six: Place;
  /** Waits until the addresses of a name are these, whatever their order. */
  has(name: string, addresses: readonly (string | undefined)[]): Promise<void>;
}

const sorted = (addresses: readonly (string | undefined)[]) =>
  addresses
    .map((address) => address ?? '')
    .sort((one, other) => one.localeCompare(other))
    .join();

/** Starts the example with `--server --dns` on a free port in place of `port`, and stops all that it needed. */
async function play(
  name: string,
  {
    port,
    replacements,
    env = {},
  }: { port: string; replacements: Readonly<Record<string, string>>; env?: NodeJS.ProcessEnv },
  tell: (stage: Stage) => Promise<void>,
): Promise<void> {
  const free = await freePort();
  const example = await startExample(name, { env, replacements: { ...replacements, [port]: `:${free}"` } });
  const [four, six] = ['127.0.0.1', '::1'].map((host) => ({ host, port: free })) as [Place, Place];
  const has: Stage['has'] = async (asked, addresses) => {
    const wanted = sorted(addresses);
    const isSo = async () => {
      const told = sorted(await dataOf(four, asked, 'A'));
      if (told !== wanted) throw new Error(`${asked} is ${told || 'nowhere'}`);
      return true;
    };
    await until(`${asked} is ${wanted || 'nowhere'}`, isSo, { timeoutMs: 30_000, everyMs: 50 });
  };
  try {
    await tell({ example, four, six, has });
  } finally {
    await example.remove();
  }
}

async function withTargets(count: number, tell: (targets: readonly TestTarget[]) => Promise<void>): Promise<void> {
  const targets = await startTargets(count);
  try {
    await tell(targets);
  } finally {
    for (const target of targets) await target.stop();
  }
}

/** A name server that everybody else's names come from. */
async function withNameServer(records: readonly string[], tell: (place: string) => Promise<void>): Promise<void> {
  const port = await freePort();
  const own = ['--no-resolv', '--no-hosts', '--bind-interfaces', '--conf-file=/dev/null', '--pid-file=', '--user=root'];
  const where = [`--port=${port}`, '--listen-address=127.0.0.1'];
  const server: Program = startProgram('dnsmasq', ['-k', ...where, ...own, ...records]);
  try {
    await tell(`127.0.0.1:${port}`);
  } finally {
    await server.stop();
  }
}

const at = (target: TestTarget | undefined) => `address: ${target?.address}, port: ${target?.port}`;
const ttlOf = async (place: Place, name: string) => (await askDns('dig', place, name, 'A')).answer[0]?.split(' ')[1];

describeWith(['dig'], 'an example that answers DNS, run as it stands', () => {
  it('dns has names for both services, over both address families, and refuses those of others', () =>
    withTargets(4, (targets) => {
      const [web1, web2, db1, db2] = targets;
      const replacements = {
        'address: 10.0.0.61, port: 8080': at(web1),
        'address: 10.0.0.62, port: 8080': at(web2),
        'address: 10.0.0.63, port: 5432': at(db1),
        'address: 10.0.0.64, port: 5432': at(db2),
        'intervalSeconds: 2': 'intervalSeconds: 0.2',
      };
      return play('dns', { port: ':8053"', replacements }, async ({ four, six, has }) => {
        const web = 'web.svc.example.org';
        await until('both serve', async () => (await dataOf(six, web, 'SRV')).length === 2);
        const turns = [
          await dataOf(four, web, 'A'),
          await dataOf(six, 'shop.example.com', 'A'),
          await dataOf(four, web, 'A'),
        ];
        expect(turns.map((one) => one.length)).toEqual([1, 1, 1]);
        expect(new Set([turns[0]?.[0], turns[2]?.[0]])).toEqual(new Set([web1?.address, web2?.address]));
        expect(await dataOf(four, 'www.svc.example.org', 'CNAME')).toEqual([`${web}.`]);
        expect((await dataOf(four, web, 'TXT')).join()).toContain('web: 2 of 2 targets serve');
        expect(await dataOf(four, `slot-2.${web}`, 'A')).toEqual([web2?.address]);
        expect((await askDns('dig', four, 'example.net', 'A')).code).toBe('REFUSED');
        await web1?.stop();
        await until('the dead one is out', async () => (await dataOf(four, web, 'SRV')).length === 1);
        expect([await dataOf(four, web, 'A'), await dataOf(four, web, 'A')]).toEqual([
          [web2?.address],
          [web2?.address],
        ]);

        const db = 'db.svc.example.org';
        await has(db, [db1?.address]);
        expect(await ttlOf(four, db)).toBe('2');
        await db1?.stop();
        await has(db, [db2?.address]);
        await db2?.stop();
        await has(db, []);
        expect((await askDns('dig', four, db, 'A')).code).toBe('NOERROR');
      });
    }));

  it('pyfailoverdns-dns gives all who accept connections, and the fallback for 30 s when nobody does', () =>
    withTargets(2, (targets) => {
      const [one, two] = targets;
      const replacements = {
        '"10.10.10.250:443"': `"${one?.address}:${one?.port}"`,
        '"10.10.10.251:443"': `"${two?.address}:${two?.port}"`,
        'intervalSeconds: 30': 'intervalSeconds: 0.2',
        '"0.0.0.0:': '"127.0.0.1:',
      };
      return play('pyfailoverdns-dns', { port: ':8053"', replacements }, async ({ four, has }) => {
        const webmail = 'webmail.failover';
        await has(webmail, [one?.address, two?.address]);
        expect(await ttlOf(four, webmail)).toBe('5');
        await one?.stop();
        await has('WebMail.Failover', [two?.address]);
        await two?.stop();
        await has(webmail, ['10.10.10.254']);
        expect(await ttlOf(four, webmail)).toBe('30');
        expect((await dataOf(four, webmail, 'TXT')).join()).toContain('1 fallback address answers');
        await one?.start();
        await has(webmail, [one?.address]);
        // Its predecessor says 127.0.0.1 here.
        expect((await askDns('dig', four, 'nobody.failover', 'A')).code).toBe('NXDOMAIN');
      });
    }));
});

describeWith(['dig', 'dnsmasq'], 'an example that answers DNS and asks others for the rest, run as it stands', () => {
  it('har-names gives the nearest of those that are up, and leaves all other types and names to others', () =>
    withTargets(2, (targets) =>
      withNameServer(
        [
          '--txt-record=api.example.com,theirs',
          '--host-record=www.api.example.com,192.0.2.7',
          '--host-record=api.example.com,2001:db8::1',
        ],
        (upstream) => {
          const [east, west] = targets;
          west?.setDelay(300);
          const replacements = {
            'address: 198.51.100.10, port: 80': at(east),
            'address: 203.0.113.10, port: 80': at(west),
            'http://198.51.100.10/': `http://${east?.address}:${east?.port}/`,
            'http://203.0.113.10/': `http://${west?.address}:${west?.port}/`,
            'intervalSeconds: 60': 'intervalSeconds: 0.4',
            '192.0.2.53, 192.0.2.54': `"${upstream}"`,
          };
          return play('har-names', { port: ':15353"', replacements }, async ({ four, six, has }) => {
            const api = 'api.example.com';
            await has(api, [east?.address]);
            expect(await ttlOf(six, api)).toBe('0');
            // Whatever others say of its addresses, nobody has checked it.
            expect(await dataOf(six, api, 'AAAA')).toEqual([]);
            expect(await dataOf(four, api, 'TXT')).toEqual(['"theirs"']);
            expect(await dataOf(six, `www.${api}`, 'A')).toEqual(['192.0.2.7']);
            west?.setDelay(0);
            east?.setDelay(300);
            await has(api, [west?.address]);
            await west?.stop();
            await has(api, [east?.address]);
            await east?.stop();
            await until('both are known although none is up', async () =>
              (await dataOf(four, `slot-1.${api}`, 'TXT')).join().includes('down'),
            );
            expect(await dataOf(four, api, 'A')).toHaveLength(1);
          });
        },
      ),
    ));
});

describeWith(['dig', 'dnsmasq', 'redis-server', 'redis-sentinel'], "HAnoProxY's example, run as it stands", () => {
  it('hanoproxy gives the master under its name, the next one when that dies, and other names from elsewhere', async () => {
    const redis = await startRedisCluster();
    try {
      await withNameServer(['--host-record=www.example.org,192.0.2.8'], (upstream) => {
        const [one = '', two = '', three = ''] = redis.sentinels.map(({ port }) => `host: 127.0.0.1, port: ${port}`);
        const replacements = {
          'host: 10.10.10.1, port: 26379': one,
          'host: 10.10.10.2, port: 26379': two,
          'host: 10.10.10.3, port: 26379': three,
          '"0.0.0.0:': '"127.0.0.1:',
          '"8.8.8.8"': `"${upstream}"`,
        };
        const env = { REDIS_PASSWORD: redisPassword, SENTINEL_PASSWORD: sentinelPassword };
        return play('hanoproxy', { port: ':53"', replacements, env }, async ({ four, has }) => {
          const name = 'redis.ha.local';
          const [master] = redis.redises;
          const isAt = (port: number | undefined) => async () =>
            (await dataOf(four, name, 'SRV')).join().includes(` ${port} slot-1.${name}`);
          await until('the master is known', isAt(master?.port), { timeoutMs: 30_000 });
          expect(await dataOf(four, name, 'A')).toEqual(['127.0.0.1']);
          expect(await ttlOf(four, name)).toBe('10');
          await has('nobody.ha.local', ['10.10.10.9']);
          await has('www.example.org', ['192.0.2.8']);
          await master?.kill();
          const isMoved = async () => {
            const [srv = ''] = await dataOf(four, name, 'SRV');
            const chosen = redis.redises.find(({ port }) => srv.split(' ')[2] === String(port));
            return (
              chosen !== undefined && chosen.port !== master?.port && (await chosen.say('ROLE')).includes('master')
            );
          };
          await until('the name leads to the new master', isMoved, { timeoutMs: 30_000 });
        });
      });
    } finally {
      await redis.stop();
    }
  });
});
