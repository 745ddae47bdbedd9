import { decode, type RecordType } from 'dns-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { createAnswerer } from '../../../../src/deliver/dns/answer/answer.ts';
import { createTable } from '../../../../src/deliver/dns/answer/table.ts';
import { dnsSchema } from '../../../../src/deliver/dns/config.ts';
import { createCounts } from '../../../../src/deliver/dns/counts.ts';
import type { Forwarder } from '../../../../src/deliver/dns/forward/forward.ts';
import { addressBytes } from '../../../../src/deliver/dns/network.ts';
import { createRateLimit } from '../../../../src/deliver/dns/rate-limit.ts';
import { compileChapter } from '../../../../src/deliver/dns/records/compile.ts';
import type { NamedSets, RecordData, RecordSet } from '../../../../src/deliver/dns/records/records.ts';
import { createRespond } from '../../../../src/deliver/dns/respond.ts';
import { type Asker, askLater } from '../../../../src/deliver/dns/responder.ts';
import { type NameServer, openNameServer } from '../../../fixtures/name-server.ts';
import { queryFor, startForwarding } from './asking.ts';

const soa: RecordData = {
  type: 'SOA',
  primary: 'ns.zone',
  mailbox: 'root.zone',
  serial: 1,
  refreshSeconds: 1,
  retrySeconds: 1,
  expireSeconds: 1,
  negativeTtlSeconds: 5,
};
const set = (data: RecordData): RecordSet => ({
  type: data.type,
  ttlSeconds: 5,
  order: 'fixed',
  answers: 1,
  records: [{ data }],
});
const named = (name: string, ...data: RecordData[]): NamedSets => ({
  name,
  sets: data.map(set),
  apex: 'zone',
  otherTypes: 'nodata',
});
const names = [
  named('zone', soa),
  named('one.zone', { type: 'A', address: '192.0.2.1' }, { type: 'TXT', text: 'one' }),
  named('two.zone', { type: 'A', address: '192.0.2.2' }),
  named('*.wild.zone', { type: 'A', address: '192.0.2.3' }),
  named('alias.zone', { type: 'CNAME', target: 'one.zone' }),
];

const servers: NameServer[] = [];
const forwarders: Forwarder[] = [];
afterEach(async () => {
  for (const forwarder of forwarders.splice(0)) forwarder.close();
  for (const server of servers.splice(0)) await server.close();
});

interface Options {
  readonly perSecond?: number;
  readonly slip?: number;
  readonly forward?: object;
}

async function open({ perSecond = 0, slip = 2, forward }: Options = {}) {
  const nowMs = () => 0;
  const table = createTable();
  table.install(compileChapter({ key: 'test', names }));
  table.settle(1000);
  const counts = createCounts();
  const forwarding = forward && startForwarding([await openServer()], forward);
  if (forwarding) forwarders.push(forwarding.forwarder);
  const responder = createRespond({
    answerer: createAnswerer(table, { forwards: forward !== undefined }),
    forwarder: forwarding?.forwarder,
    limit: createRateLimit(dnsSchema.parse({ rateLimit: { perSecond, slip, exempt: ['::1'] } }).rateLimit, nowMs),
    counts,
    nowMs,
  });
  const buffer = new Uint8Array(65_535);
  const ask = (query: Uint8Array, asker: Asker) => {
    const size = responder.now(query, 0, query.length, asker, buffer);
    return size > 0 ? decode(Buffer.from(buffer.subarray(0, size))) : size;
  };
  /** What becomes of so many questions from one address: codes, `TC` or `dropped`. */
  const outcomes = (count: number, name: string, address = '198.51.100.7', type: RecordType = 'A') =>
    Array.from({ length: count }, () => {
      const reply = ask(queryFor(name, { type }), udp(address));
      if (typeof reply === 'number') return 'dropped';
      return reply.flag_tc ? `TC ${reply.answers?.length}` : (reply as { rcode?: string }).rcode;
    });
  const later = (query: Buffer, asker: Asker) =>
    new Promise<ReturnType<typeof decode>>((resolve) => {
      responder.later(query, asker, (reply) => resolve(decode(Buffer.from(reply))));
    });
  const take = () => counts.take({ tcpConnections: 0, cacheBytes: 0, names: 0 });
  return { ask, outcomes, later, take, forwarding };
}

async function openServer(): Promise<NameServer> {
  const server = await openNameServer();
  servers.push(server);
  return server;
}

const udp = (address = '127.0.0.1'): Asker => ({ transport: 'udp', address: addressBytes(address) });
const tcp = (address = '127.0.0.1'): Asker => ({ transport: 'tcp', address: addressBytes(address) });
const other = 'somewhere.example';

describe('the responder', () => {
  it('counts each query by what was asked and what came of it', async () => {
    const { ask, take } = await open();
    ask(queryFor('one.zone'), udp());
    ask(queryFor('one.zone'), tcp());
    ask(queryFor('nobody.zone', { type: 'SRV' }), udp());
    ask(queryFor(other), udp());
    ask(Buffer.concat([queryFor('one.zone').subarray(0, 20)]), udp());
    ask(Buffer.from('nonsense'), udp());
    expect(take().queries).toEqual({
      'A NOERROR udp': 1,
      'A NOERROR tcp': 1,
      'SRV NXDOMAIN udp': 1,
      'A REFUSED udp': 1,
      'other FORMERR udp': 1,
      'other dropped udp': 1,
    });
  });

  it('measures one query in 64, which stands for all of them', async () => {
    const { ask, take } = await open();
    for (let query = 0; query < 640; query += 1) ask(queryFor('one.zone'), udp());
    expect(take().latency.reduce((sum, count) => sum + count)).toBe(640);
  });

  it('holds back equal answers beyond the rate, and lets their askers come again over TCP', async () => {
    const { ask, outcomes, take } = await open({ perSecond: 3 });
    expect(outcomes(7, 'one.zone')).toEqual(['NOERROR', 'NOERROR', 'NOERROR', 'dropped', 'TC 0', 'dropped', 'TC 0']);
    expect(ask(queryFor('one.zone'), tcp('198.51.100.7'))).toMatchObject({ answers: [{ data: '192.0.2.1' }] });
    const { queries, limited } = take();
    expect(limited).toEqual({ dropped: 2, truncated: 2 });
    expect(queries).toEqual({ 'A NOERROR udp': 5, 'A dropped udp': 2, 'A NOERROR tcp': 1 });
  });

  it('counts answers as equal by name and type as the table has them, so that no list of names gets round it', async () => {
    const { ask, outcomes } = await open({ perSecond: 3, slip: 0 });
    expect(outcomes(4, 'one.zone').at(-1)).toBe('dropped');
    expect(outcomes(1, 'ONE.zone')).toEqual(['dropped']);
    expect(outcomes(1, 'one.zone', '198.51.100.7', 'TXT')).toEqual(['NOERROR']);
    expect(outcomes(1, 'two.zone')).toEqual(['NOERROR']);
    const unlike = (suffix: string) => [1, 2, 3, 4].map((at) => outcomes(1, `x${at}.${suffix}`)[0]);
    expect(unlike('wild.zone').at(-1)).toBe('dropped');
    expect(unlike('zone').at(-1)).toBe('dropped');
    expect(unlike('elsewhere').at(-1)).toBe('dropped');
    const types: RecordType[] = ['MX', 'NS', 'CAA', 'SRV'];
    expect(types.map((type) => outcomes(1, 'two.zone', '198.51.100.7', type)[0]).at(-1)).toBe('dropped');
    expect(types.map((type) => outcomes(1, 'alias.zone', '198.51.100.7', type)[0]).at(-1)).toBe('dropped');
    expect(ask(queryFor('one.zone'), udp('::1'))).toMatchObject({ rcode: 'NOERROR' });
  });

  it('sends every slip-th error as it is, as there is nothing to leave out', async () => {
    const { outcomes, take } = await open({ perSecond: 1 });
    expect(outcomes(5, other)).toEqual(['REFUSED', 'dropped', 'REFUSED', 'dropped', 'REFUSED']);
    expect(take().limited).toEqual({ dropped: 2 });
    expect(outcomes(3, 'nobody.zone')).toEqual(['NXDOMAIN', 'dropped', 'TC 0']);
  });
});

describe('the responder with other servers behind it', () => {
  it('forwards for those who may ask, and refuses others', async () => {
    const { ask, later, take } = await open({ forward: { allow: ['127.0.0.0/8'] } });
    expect(ask(queryFor(other), udp('198.51.100.7'))).toMatchObject({ rcode: 'REFUSED' });
    expect(ask(queryFor(other), udp())).toBe(askLater);
    const reply = await later(queryFor(other, { id: 77 }), udp());
    expect(reply).toMatchObject({ id: 77, rcode: 'NOERROR', answers: [{ data: '192.0.2.1' }] });
    const { queries, latency } = take();
    expect(queries).toEqual({ 'A REFUSED udp': 1, 'A NOERROR udp': 1 });
    expect(latency.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('says SERVFAIL when no server helps', async () => {
    const { later, take, forwarding } = await open({ forward: { tries: 1 } });
    for (const server of servers) server.act = () => void forwarding?.clock.advance(2000);
    const reply = later(queryFor(other, { id: 78, type: 'MX' }), tcp());
    expect(await reply).toMatchObject({ id: 78, rcode: 'SERVFAIL', questions: [{ name: other, type: 'MX' }] });
    expect(take().queries).toEqual({ 'MX SERVFAIL tcp': 1 });
  });

  it('limits what it forwards over UDP likewise', async () => {
    const { later, take } = await open({ perSecond: 2, slip: 1, forward: { allow: ['0.0.0.0/0'] } });
    const replies = [];
    for (let query = 0; query < 4; query += 1) replies.push(await later(queryFor(other), udp('198.51.100.7')));
    expect(replies.map((reply) => [reply.flag_tc, reply.answers?.length])).toEqual([
      [false, 1],
      [false, 1],
      [true, 0],
      [true, 0],
    ]);
    expect((await later(queryFor(other), tcp('198.51.100.7'))).answers).toHaveLength(1);
    expect(take().limited).toEqual({ truncated: 2 });
  });
});
