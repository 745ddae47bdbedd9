import { decode, encode, type Packet } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { lookAtReply, questionFor } from '../../bench/dns/question-set.ts';

const asked = { name: 'h00001.bench.example', addresses: ['10.0.0.1', '10.0.0.2'] };
const [authoritative, truncated] = [0x400, 0x200];

const answer = (data: string, name = asked.name) => ({ type: 'A' as const, name, data, ttl: 60 });
const right: Packet = {
  type: 'response',
  flags: authoritative,
  questions: [{ type: 'A', name: asked.name }],
  answers: [answer('10.0.0.2'), answer('10.0.0.1')],
};

/** What the generator finds in a reply, which lies somewhere in its memory. */
function look(packet: Packet, { versions = false, cut = 0 } = {}) {
  const reply = encode(packet);
  const memory = new Uint8Array(4096);
  memory.set(reply, 100);
  const finding = { fault: 'not looked', first: -1, version: -1 };
  lookAtReply(memory, 100, reply.length - cut, questionFor(asked, false), versions, finding);
  return finding;
}

describe('a question of the generator', () => {
  it('is one that others can read, with and without EDNS', () => {
    const plain = decode(Buffer.from(questionFor(asked, false).packet));
    expect(plain.questions).toEqual([{ name: asked.name, type: 'A', class: 'IN' }]);
    expect(plain.additionals).toEqual([]);
    const [opt] = decode(Buffer.from(questionFor(asked, true).packet)).additionals ?? [];
    expect(opt).toMatchObject({ type: 'OPT', name: '.', udpPayloadSize: 1232, ednsVersion: 0 });
  });
});

describe('a look at a reply', () => {
  it('finds nothing wrong with the right one, whatever the order of its addresses', () => {
    expect(look(right)).toEqual({ fault: '', first: 1, version: 0 });
    expect(look({ ...right, answers: [answer('10.0.0.1'), answer('10.0.0.2')] })).toMatchObject({
      fault: '',
      first: 0,
    });
  });

  it('tells the version in an address from the address', () => {
    const changed = { ...right, answers: [answer('10.7.0.1'), answer('10.7.0.2')] };
    expect(look(changed, { versions: true })).toEqual({ fault: '', first: 0, version: 7 });
    expect(look(changed).fault).toBe('address');
  });

  it.each<[string, Partial<Packet>]>([
    ['flags', { type: 'query' }],
    ['flags', { flags: authoritative | truncated }],
    ['code 3', { flags: authoritative | 3 }],
    ['number of answers', { answers: [answer('10.0.0.1')] }],
    ['question', { questions: [{ type: 'A', name: 'h00002.bench.example' }] }],
    ['question', { questions: [{ type: 'AAAA', name: asked.name }] }],
    ['address', { answers: [answer('10.0.0.1'), answer('10.0.0.3')] }],
    ['address twice', { answers: [answer('10.0.0.1'), answer('10.0.0.1')] }],
    ['no A record', { answers: [answer('10.0.0.1'), { type: 'TXT', name: asked.name, data: 'abcd' }] }],
  ])('finds what is wrong: %s', (fault, change) => {
    expect(look({ ...right, ...change }).fault).toBe(fault);
  });

  it('finds that the end is missing', () => {
    expect(look(right, { cut: 1 }).fault).toBe('no A record');
    expect(look(right, { cut: 90 }).fault).toBe('too short');
  });
});
