import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { askDns, type Place, type Told } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Answering, serviceBytes, startAnswering } from '../fixtures/dns-thread.ts';
import { freePort } from '../fixtures/ports.ts';
import { type Program, startProgram } from '../fixtures/program.ts';
import { until } from '../fixtures/until.ts';

const texts = Array.from({ length: 30 }, (_, index) => `--txt-record=big.test,${index}-${'x'.repeat(150)}`);
const records = [
  '--host-record=web.test,192.0.2.1,2001:db8::1',
  '--host-record=web.test,192.0.2.2',
  '--address=/blocked.test/192.0.2.9',
  '--txt-record=web.test,v=1,second text',
  '--srv-host=_sip._tcp.web.test,sip.test,5060,1,2',
  '--host-record=sip.test,192.0.2.7',
  '--mx-host=web.test,mail.test,10',
  '--cname=alias.test,web.test',
  '--local=/test/',
  ...texts,
];

/** A real dnsmasq that knows the zone `test`, with a mark of its own at who.test. */
function startServer(port: number, mark: string): Program {
  const own = ['--no-resolv', '--no-hosts', '--bind-interfaces', '--conf-file=/dev/null', '--pid-file=', '--user=root'];
  const where = [`--port=${port}`, '--listen-address=127.0.0.1', '--cache-size=0', '--local-ttl=60'];
  return startProgram('dnsmasq', ['-k', ...where, ...own, ...records, `--txt-record=who.test,${mark}`]);
}

const endpoint = ({ dns }: Answering): Place => dns.endpoints()[0] as Place;
const withoutTtl = (lines: readonly string[]) => lines.map((line) => line.replace(/ \d+ /, ' '));
const essence = ({ code, answer, authority, additional }: Told) => [
  code,
  ...[answer, authority, additional].map(withoutTtl),
];

const started: Answering[] = [];
let servers: readonly Program[];
let ports: readonly number[];
/** Without a cache, to the first server. */
let steady: Answering;

function startForwarder(to: readonly number[], forward: object = {}): Promise<Answering> {
  const all = { to: to.map((port) => `127.0.0.1:${port}`), cache: { maxBytes: 0 }, ...forward };
  return startAnswering({ listen: ['127.0.0.1:0'], forward: all });
}

/** For one test. */
async function forwardTo(to: readonly number[], forward: object = {}): Promise<Place & { answering: Answering }> {
  const answering = await startForwarder(to, forward);
  started.push(answering);
  return { ...endpoint(answering), answering };
}

const who = async (place: Place) => (await askDns('dig', place, 'who.test', 'TXT')).answer[0]?.split(' ').at(-1);

describeWith(['dig', 'dnsmasq'], 'questions forwarded to a real dnsmasq', () => {
  beforeAll(async () => {
    ports = [await freePort(), await freePort()];
    servers = ports.map((port, index) => startServer(port, `server-${index}`));
    for (const port of ports) await until('dnsmasq', () => who({ host: '127.0.0.1', port }));
    steady = await startForwarder(ports.slice(0, 1));
  });
  afterEach(async () => {
    for (const answering of started.splice(0)) await answering.stop();
  });
  afterAll(async () => {
    await steady.stop();
    for (const server of servers) {
      server.signal('SIGCONT');
      await server.stop();
    }
  });

  const questions = [
    ['web.test', 'A'],
    ['WEB.Test', 'A'],
    ['web.test', 'AAAA'],
    ['web.test', 'TXT'],
    ['web.test', 'MX'],
    ['_sip._tcp.web.test', 'SRV'],
    ['alias.test', 'A'],
    ['alias.test', 'CNAME'],
    ['alias.test', 'AAAA'],
    ['deep.blocked.test', 'A'],
    ['web.test', 'NS'],
    ['nobody.test', 'A'],
    ['big.test', 'TXT'],
    ['who.test', 'TXT'],
  ] as const;

  it.each(questions)('%s %s: dig is told what it is told directly, over UDP and TCP', async (name, type) => {
    const [port] = ports as [number];
    const place = endpoint(steady);
    for (const more of [[], ['+tcp'], ['+noedns'], ['+dnssec']]) {
      const direct = await askDns('dig', { host: '127.0.0.1', port }, name, type, more);
      const through = await askDns('dig', place, name, type, more);
      expect(essence(through)).toEqual(essence(direct));
      expect(through.flags).toEqual(expect.arrayContaining(['qr', 'rd', 'ra']));
      expect(through.flags).not.toContain('aa');
    }
  });

  it('say that they are truncated to whom they do not fit, and are whole by TCP from the cache', async () => {
    const [port] = ports as [number];
    const place = await forwardTo([port], { cache: {} });
    const small = await askDns('dig', place, 'big.test', 'TXT', ['+noedns', '+ignore']);
    expect(small.flags).toContain('tc');
    expect(small.answer.length).toBeGreaterThan(0);
    expect(small.answer.length).toBeLessThan(4);
    const larger = await askDns('dig', place, 'big.test', 'TXT', ['+bufsize=4096', '+ignore']);
    expect(larger.answer.length).toBeGreaterThan(small.answer.length);
    expect((await askDns('dig', place, 'big.test', 'TXT', ['+bufsize=4096'])).answer).toHaveLength(30);
  });

  it('are answered while the first server is gone, hangs or is back', async () => {
    const [first, second] = ports as [number, number];
    const place = await forwardTo(ports, { timeoutSeconds: 0.3, tries: 2 });
    expect(await who(place)).toBe('"server-0"');
    const [paused] = servers as [Program];
    paused.signal('SIGSTOP');
    for (let turn = 0; turn < 5; turn += 1) expect(await who(place)).toBe('"server-1"');
    paused.signal('SIGCONT');
    await until('the first to be preferred again', async () => (await who(place)) === '"server-0"');
    await paused.stop();
    for (let turn = 0; turn < 5; turn += 1) expect(await who(place)).toBe('"server-1"');
    servers = [startServer(first, 'server-0'), ...servers.slice(1)];
    await until('the first to be preferred again', async () => (await who(place)) === '"server-0"');
    expect(await who({ host: '127.0.0.1', port: second })).toBe('"server-1"');
    await until('the counts', () =>
      place.answering.counts.some(({ upstream }) => Object.keys(upstream).some((key) => key.endsWith(' error'))),
    );
  });

  it('fail while the only server is gone, and are answered as soon as it is back', async () => {
    const port = await freePort();
    const place = await forwardTo([port], { cache: {} });
    expect((await askDns('dig', place, 'web.test', 'A')).code).toBe('SERVFAIL');
    const server = startServer(port, 'new');
    const told = await until('the answer', async () => {
      const answer = await askDns('dig', place, 'web.test', 'A');
      return answer.code === 'NOERROR' && answer;
    });
    expect(withoutTtl(told.answer)).toEqual(['web.test. A 192.0.2.1', 'web.test. A 192.0.2.2']);
    await server.stop();
    // From the cache.
    expect((await askDns('dig', place, 'web.test', 'A')).code).toBe('NOERROR');
    expect((await askDns('dig', place, 'other.test', 'A')).code).toBe('SERVFAIL');
  });

  it('are refused by another hsdo that does not forward, and in a circle come to an end', async () => {
    const other = await startAnswering({ listen: ['127.0.0.1:0'] });
    started.push(other);
    const place = await forwardTo([endpoint(other).port]);
    expect((await askDns('dig', place, 'web.test', 'A')).code).toBe('REFUSED');
    const [one, two] = [await freePort(), await freePort()];
    const circle = [
      [one, two],
      [two, one],
    ];
    for (const [own, next] of circle) {
      const forward = { to: [`127.0.0.1:${next}`], timeoutSeconds: 0.3, tries: 2 };
      started.push(
        await startAnswering({ listen: [`127.0.0.1:${own}`], forward }, [serviceBytes('near', ['192.0.2.44'])]),
      );
    }
    const entrance = { host: '127.0.0.1', port: one };
    expect((await askDns('dig', entrance, 'web.test', 'A')).code).toBe('SERVFAIL');
    const near = await askDns('dig', entrance, 'near.hsdo.test', 'A');
    expect([near.code, near.flags.includes('aa')]).toEqual(['NOERROR', true]);
  });
});
