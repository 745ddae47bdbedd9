import { createSocket } from 'node:dgram';
import dnsPacket, { type DecodedPacket, type Answer as DnsAnswer } from 'dns-packet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDnsSource, dnsSchema } from '../../../src/discover/dns.ts';
import { targetsOf } from '../../fixtures/sources.ts';

const [noError, servfail, nxdomain] = [0, 2, 3];
type Reply = { readonly rcode: number; readonly answers?: readonly DnsAnswer[] };

/** A name server that answers what the test says. */
async function startServer(answer: (type: string, name: string) => Reply | undefined) {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const query: DecodedPacket = dnsPacket.decode(message);
    const [question] = query.questions ?? [];
    const reply = question && answer(question.type, question.name);
    if (!reply) return;
    const packet = { type: 'response', id: query.id, flags: reply.rcode, questions: query.questions ?? [] } as const;
    socket.send(dnsPacket.encode({ ...packet, answers: [...(reply.answers ?? [])] }), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${socket.address().port}`, stop: () => new Promise<void>((done) => socket.close(done)) };
}

describe('the source dns', () => {
  let zone: Record<string, Reply>;
  let server: Awaited<ReturnType<typeof startServer>>;
  beforeEach(async () => {
    zone = {};
    server = await startServer((type, name) => zone[`${type} ${name}`] ?? { rcode: noError });
  });
  afterEach(() => server.stop());
  const never = new AbortController().signal;
  const dnsOf = (fields: object) => {
    const config = { kind: 'dns', names: ['web.test'], servers: [server.address], timeoutSeconds: 0.2, ...fields };
    return createDnsSource(dnsSchema.parse(config));
  };
  const a = (name: string, data: string, ttl = 60): DnsAnswer => ({ type: 'A', name, data, ttl });
  const aaaa = (name: string, data: string, ttl = 60): DnsAnswer => ({ type: 'AAAA', name, data, ttl });
  const ok = (...answers: DnsAnswer[]): Reply => ({ rcode: noError, answers });

  it('reports the addresses of both families in a steady order', async () => {
    zone = {
      'A web.test': ok(a('web.test', '10.0.0.2'), a('web.test', '10.0.0.1')),
      'AAAA web.test': ok(aaaa('web.test', '2001:db8::1')),
    };
    expect(await targetsOf(dnsOf({ port: 80 }))).toEqual([
      { id: 'web.test/10.0.0.1:80', name: 'web.test/10.0.0.1:80', address: '10.0.0.1', port: 80, group: 'web.test' },
      { id: 'web.test/10.0.0.2:80', name: 'web.test/10.0.0.2:80', address: '10.0.0.2', port: 80, group: 'web.test' },
      {
        id: 'web.test/2001:db8::1:80',
        name: 'web.test/2001:db8::1:80',
        address: '2001:db8::1',
        port: 80,
        group: 'web.test',
      },
    ]);
    const addressesOf = async (fields: object) =>
      (await targetsOf(dnsOf(fields))).map(({ id, group }) => `${id} ${group}`);
    expect(await addressesOf({ type: 'AAAA', group: 'web' })).toEqual(['web.test/2001:db8::1 web']);
    expect(await addressesOf({ type: 'A' })).toHaveLength(2);
  });

  it('refuses by name the addresses that no target can have', async () => {
    zone = { 'A web.test': ok(a('web.test', '0.0.0.0'), a('web.test', '10.0.0.1')) };
    expect(await targetsOf(dnsOf({}), ['web.test/0.0.0.0'])).toHaveLength(1);
  });

  it('reports hosts and ports of the SRV records of the lowest priority', async () => {
    const srv = (target: string, port: number, priority: number): DnsAnswer => ({
      type: 'SRV',
      name: '_web._tcp.test',
      ttl: 60,
      data: { target, port, priority, weight: 1 },
    });
    zone = {
      'SRV _web._tcp.test': ok(srv('a.test', 81, 1), srv('b.test', 82, 1), srv('spare.test', 83, 2)),
      'A a.test': ok(a('a.test', '10.0.0.1')),
      'A b.test': ok(a('b.test', '10.0.0.2')),
    };
    const targets = await targetsOf(dnsOf({ names: ['_web._tcp.test'], type: 'SRV' }));
    expect(targets.map(({ id, port, group }) => `${id} ${port} ${group}`)).toEqual([
      '_web._tcp.test/a.test/10.0.0.1:81 81 _web._tcp.test',
      '_web._tcp.test/b.test/10.0.0.2:82 82 _web._tcp.test',
    ]);
  });

  it.each<[string, Record<string, Reply>]>([
    ['does not exist', { 'A web.test': { rcode: nxdomain }, 'AAAA web.test': { rcode: nxdomain } }],
    ['has no addresses', {}],
  ])('believes that a name %s only where that is said to mean none', async (_, answers) => {
    zone = answers;
    await expect(dnsOf({}).discover(never)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(dnsOf({}).discover(never)).rejects.toThrow(/A and AAAA of "web.test" has no record/);
    expect(await dnsOf({ emptyMeansNone: true }).discover(never)).toEqual([]);
  });

  it('does not know when a server fails for one name or one family, or is silent', async () => {
    zone = { 'A web.test': ok(a('web.test', '10.0.0.1')), 'AAAA web.test': { rcode: servfail } };
    await expect(dnsOf({ emptyMeansNone: true }).discover(never)).rejects.toMatchObject({ code: 'unavailable' });
    zone = { 'A web.test': ok(a('web.test', '10.0.0.1')), 'A api.test': { rcode: servfail } };
    await expect(dnsOf({ names: ['web.test', 'api.test'] }).discover(never)).rejects.toThrow(/A of "api.test"/);
    const silent = await startServer(() => undefined);
    await expect(dnsOf({ servers: [silent.address] }).discover(never)).rejects.toMatchObject({ code: 'unavailable' });
    await silent.stop();
  });

  it.each([
    ['the smallest TTL', 20, 20_000],
    ['a second where it is 0', 0, 1000],
    ['an hour where it is a day', 86_400, 3_600_000],
  ])('stands for %s', async (_, ttl, ms) => {
    zone = { 'A web.test': ok(a('web.test', '10.0.0.1', 90_000), a('web.test', '10.0.0.2', ttl)) };
    const source = dnsOf({});
    await source.discover(never);
    expect(source.standsMs?.()).toBe(ms);
  });

  it('gives up with the signal', async () => {
    const silent = await startServer(() => undefined);
    const own = new AbortController();
    const reading = dnsOf({ servers: [silent.address], timeoutSeconds: 30 }).discover(own.signal);
    own.abort();
    await expect(reading).rejects.toThrow();
    await silent.stop();
  });
});
