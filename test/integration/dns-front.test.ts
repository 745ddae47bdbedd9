import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Asking, askDns, dataOf, type Place, type Told } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { freePort } from '../fixtures/ports.ts';
import { type Program, startProgram } from '../fixtures/program.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const programs: readonly Asking[] = ['dig', 'kdig', 'drill'];
const place: Place & { port: number } = { host: '127.0.0.1', port: 0 };
const front: Place & { port: number } = { host: '127.0.0.1', port: 0 };

let hsdo: Hsdo;
let dnsmasq: Program;
let targets: readonly TestTarget[];

/** What stands between counts the time down. */
const withoutTtl = ({ answer }: Told) => answer.map((line) => line.replace(/ \d+ /, ' '));

const addresses = () => targets.map(({ address }) => address).sort();

beforeAll(async () => {
  targets = await startTargets(3);
  place.port = await freePort();
  front.port = await freePort();
  const entries = targets.map(({ address, port }, n) => ({ name: `web-${n + 1}`, address, port }));
  hsdo = await startHsdo({
    role: 'server',
    nodeId: 'front',
    config: {
      intervalSeconds: 0.1,
      dns: {
        listen: [`127.0.0.1:${place.port}`],
        domain: 'ha.test',
        ttlSeconds: 0,
        negativeTtlSeconds: 0,
        aliases: { 'old.ha.test': 'web.ha.test' },
      },
      services: [
        {
          name: 'web',
          source: { kind: 'static', targets: entries },
          check: { kind: 'http', path: '/health', intervalSeconds: 0.2, timeoutSeconds: 1, holdDown: { seconds: 0 } },
        },
        { name: 'six', source: { kind: 'static', targets: [{ name: 'six-1', address: 'fd00::6', port: 80 }] } },
      ],
    },
  });
  const zone = `--server=/ha.test/127.0.0.1#${place.port}`;
  const own = ['--no-resolv', '--no-hosts', '--bind-interfaces', '--conf-file=/dev/null', '--pid-file=', '--user=root'];
  dnsmasq = startProgram('dnsmasq', ['-k', `--port=${front.port}`, '--listen-address=127.0.0.1', ...own, zone]);
  await until('the names are answered', async () => (await dataOf(place, 'web.ha.test', 'A')).length === 3);
  // The serial of the zone follows the newest list within a second; questions of one moment are to meet one serial.
  await until('the zone has the serial of its newest list', async () => {
    const published = (await hsdo.status()).services.map(({ publishedAt = 0 }) => Math.floor(publishedAt / 1000));
    const [soa] = await dataOf(place, 'ha.test', 'SOA');
    return !published.includes(0) && Number(soa?.split(' ')[2]) === Math.max(...published);
  });
  await until('dnsmasq answers', async () => (await dataOf(front, 'web.ha.test', 'A')).length === 3);
});

afterAll(async () => {
  await dnsmasq?.stop();
  await hsdo?.remove();
  for (const target of targets ?? []) await target.stop();
});

describeWith([...programs, 'dnsmasq'], 'names asked with the programs that people use', () => {
  const questions = [
    ['web.ha.test', 'A', 'NOERROR'],
    ['WEB.Ha.TEST', 'A', 'NOERROR'],
    ['web.ha.test', 'AAAA', 'NOERROR'],
    ['six.ha.test', 'AAAA', 'NOERROR'],
    ['web.ha.test', 'SRV', 'NOERROR'],
    ['_web._tcp.ha.test', 'SRV', 'NOERROR'],
    ['_tcp.ha.test', 'SRV', 'NOERROR'],
    ['web.ha.test', 'TXT', 'NOERROR'],
    ['slot-2.web.ha.test', 'A', 'NOERROR'],
    ['old.ha.test', 'A', 'NOERROR'],
    ['old.ha.test', 'CNAME', 'NOERROR'],
    ['ha.test', 'SOA', 'NOERROR'],
    ['ha.test', 'NS', 'NOERROR'],
    ['nobody.ha.test', 'A', 'NXDOMAIN'],
  ] as const;

  it.each(questions)(
    '%s %s is the same to all of them, by UDP, by TCP and through dnsmasq',
    async (name, type, code) => {
      const [first, ...others] = await Promise.all([
        ...programs.map((program) => askDns(program, place, name, type)),
        askDns('dig', place, name, type, ['+tcp']),
        askDns('drill', place, name, type, ['-t']),
        askDns('dig', place, name, type, ['+noedns']),
      ]);
      expect(first?.code).toBe(code);
      expect(first?.flags).toContain('aa');
      for (const other of others) {
        expect({ code: other.code, answer: other.answer, authority: other.authority }).toEqual({
          code,
          answer: first?.answer,
          authority: first?.authority,
        });
      }
      const behind = await askDns('dig', front, name, type);
      expect({ code: behind.code, answer: withoutTtl(behind) }).toEqual({ code, answer: first && withoutTtl(first) });
    },
  );

  it('has every target by address, port and slot', async () => {
    expect(await dataOf(place, 'web.ha.test', 'A')).toEqual(addresses());
    const { answer, additional } = await askDns('dig', place, '_web._tcp.ha.test', 'SRV');
    const ports = targets.map(({ port }, n) => `${port} slot-${n + 1}.web.ha.test.`);
    expect(answer.map((line) => line.split(' ').slice(5).join(' ')).sort()).toEqual([...ports].sort());
    const beside = targets.map(({ address }, n) => `slot-${n + 1}.web.ha.test. 0 A ${address}`);
    expect(additional).toEqual(expect.arrayContaining(beside));
  });

  it('loses a target that fails its checks from the answers, also behind dnsmasq, and has it again', async () => {
    const [victim] = targets;
    const others = addresses().filter((address) => address !== victim?.address);
    victim?.setHealthy(false);
    await until('it is gone', async () => String(await dataOf(place, 'web.ha.test', 'A')) === String(others));
    expect(await dataOf(front, 'web.ha.test', 'A')).toEqual(others);
    expect(await dataOf(place, 'slot-1.web.ha.test', 'TXT')).toEqual([expect.stringContaining('down')]);
    victim?.setHealthy(true);
    await until('it is back', async () => String(await dataOf(front, 'web.ha.test', 'A')) === String(addresses()));
  });
});

describeWith(['haproxy', 'dig'], 'a HAProxy that takes its servers from SRV records', () => {
  it('serves from every target, and follows the list when one is down', async () => {
    const port = await freePort();
    const file = join(hsdo.folder, 'resolving.cfg');
    await writeFile(file, haproxyConfig(port));
    const haproxy = startProgram('haproxy', ['-db', '-f', file]);
    /** Twelve requests in turns; true when these targets got some of them, and no other did. */
    const serve = async (wanted: readonly TestTarget[]) => {
      const before = targets.map((target) => target.requests());
      for (let n = 0; n < 12; n += 1)
        await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).catch(() => undefined);
      return targets.every((target, n) => target.requests() > (before[n] ?? 0) === wanted.includes(target));
    };
    const [one, two, three] = targets as [TestTarget, TestTarget, TestTarget];
    try {
      await until('all three serve', () => serve([one, two, three]), { timeoutMs: 30_000 });
      three.setHealthy(false);
      await until('two serve', () => serve([one, two]), { timeoutMs: 30_000 });
      three.setHealthy(true);
      await until('all three serve again', () => serve([one, two, three]), { timeoutMs: 30_000 });
    } finally {
      await haproxy.stop();
    }
  });
});

/** As the README has it, with an address and times for a test. */
function haproxyConfig(port: number): string {
  return `
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
resolvers hsdo
    nameserver one 127.0.0.1:${place.port}
    accepted_payload_size 1232
    hold valid 1s
    hold obsolete 1s
    timeout resolve 1s
frontend in
    bind 127.0.0.1:${port}
    default_backend web
backend web
    balance roundrobin
    server-template web 10 _web._tcp.ha.test resolvers hsdo init-addr none check
`;
}
