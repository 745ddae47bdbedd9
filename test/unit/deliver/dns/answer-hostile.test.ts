import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordTypes, responseCodes } from '../../../../src/deliver/dns/answer/wire.ts';
import { maxUdpReplyBytes } from '../../../../src/deliver/dns/responder.ts';
import { a, asking, cname, named, queryOf, replyTo, tell, txt, zoneOf } from './answering.ts';

const table = zoneOf(
  named('web.zone.test', [a('10.0.0.1'), a('10.0.0.2'), txt('x'.repeat(300))]),
  named('*.zone.test', [cname('web.zone.test')]),
  named('_web._tcp.zone.test', [{ type: 'SRV', priority: 1, weight: 1, port: 80, target: 'web.zone.test' }]),
  named('har.zone.test', [a('10.0.0.3')], { otherTypes: 'forward' }),
);
const answerers = [asking(table).answerer, asking(table, true).answerer] as const;

const hostile = fc.uint8Array({ maxLength: 600 });
const types = Object.values(recordTypes);
const names = [
  'web.zone.test',
  'x.zone.test',
  '_web._tcp.zone.test',
  'har.zone.test',
  'zone.test',
  'elsewhere.test',
  '',
];

const valid = fc
  .record({
    name: fc.constantFrom(...names),
    type: fc.constantFrom(...types),
    edns: fc.option(fc.nat(0xffff), { nil: undefined }),
    flags: fc.constantFrom(0, 0x0100, 0x0110),
    id: fc.nat(0xffff),
  })
  .map(({ name, type, edns, ...rest }) => queryOf(name, type, { ...rest, ...(edns !== undefined && { edns }) }));

/** A valid query with bytes changed, cut out, put in, and its end cut off. */
const mutated = fc
  .tuple(
    valid,
    fc.array(fc.tuple(fc.constantFrom('set', 'cut', 'add'), fc.nat(80), fc.nat(255)), { maxLength: 6 }),
    fc.nat(200),
  )
  .map(([query, changes, end]) => {
    const bytes = [...query];
    for (const [what, place, value] of changes) {
      const at = place % (bytes.length + 1);
      if (what === 'set') bytes[Math.min(at, bytes.length - 1)] = value;
      else bytes.splice(at, what === 'cut' ? 1 + (value % 4) : 0, ...(what === 'add' ? [value] : []));
    }
    return Uint8Array.from(bytes.slice(0, end > 100 ? undefined : end));
  });

const limits = fc.constantFrom(maxUdpReplyBytes, 65_535);

/** The rules for the reply to whatever bytes. */
function check(query: Uint8Array, limitBytes: number, which: 0 | 1): void {
  const answerer = answerers[which];
  const reply = replyTo(answerer, query, limitBytes);
  if (query.length < 12 || ((query[2] as number) & 0x80) !== 0) expect(reply).toBeUndefined();
  if (reply === 'later') expect(which).toBe(1);
  if (typeof reply !== 'object') return;
  const { packet, bytes } = tell(reply);
  expect(bytes.length).toBeLessThanOrEqual(limitBytes);
  expect(packet.id).toBe(((query[0] as number) << 8) | (query[1] as number));
  expect(packet.flag_qr).toBe(true);
  const question = answerer.lastQuestionBytes;
  expect(packet.questions).toHaveLength(question > 0 ? 1 : 0);
  expect(Buffer.from(reply.subarray(12, 12 + question))).toEqual(Buffer.from(query.subarray(12, 12 + question)));
  expect((bytes[3] as number) & 15).toBe(answerer.lastCode & 15);
}

/** For properties, on a machine that has other things to do. */
const patienceMs = 60_000;

describe('whatever bytes come', () => {
  it(
    'they are answered with a packet that fits them, forwarded, or not at all',
    () => {
      fc.assert(fc.property(hostile, limits, fc.constantFrom(0, 1), check), { numRuns: 2000 });
    },
    patienceMs,
  );

  it(
    'also when they nearly are a query',
    () => {
      fc.assert(fc.property(mutated, limits, fc.constantFrom(0, 1), check), { numRuns: 3000 });
    },
    patienceMs,
  );

  it(
    'what stands around them does not matter',
    () => {
      const into = [new Uint8Array(1232), new Uint8Array(1232)] as const;
      const [answerer] = answerers;
      const given = (query: Uint8Array, filling: number, reply: Uint8Array) => {
        const around = new Uint8Array(query.length + 300).fill(filling);
        around.set(query, 150);
        const length = answerer.answer(around, 150, query.length, maxUdpReplyBytes, reply);
        return Buffer.from(reply.subarray(0, Math.max(0, length)));
      };
      // Answers that take turns would differ by themselves; here all stand in their order.
      fc.assert(
        fc.property(mutated, (query) => {
          expect(given(query, 0, into[0])).toEqual(given(query, 0xff, into[1]));
        }),
        { numRuns: 3000 },
      );
    },
    patienceMs,
  );

  it(
    'a refusal of them is a packet with the code, or silence',
    () => {
      fc.assert(
        fc.property(fc.oneof(hostile, mutated), fc.boolean(), (query, isTruncated) => {
          const reply = new Uint8Array(512);
          const [answerer] = answerers;
          const length = answerer.refuse(query, 0, query.length, responseCodes.REFUSED, reply, isTruncated);
          if (length === 0) return;
          const { code, packet, answers } = tell(reply.subarray(0, length));
          expect([code, packet.flag_tc, answers]).toEqual(['REFUSED', isTruncated, []]);
        }),
        { numRuns: 2000 },
      );
    },
    patienceMs,
  );

  it(
    'every valid query is answered well',
    () => {
      fc.assert(
        fc.property(valid, (query) => {
          const reply = replyTo(answerers[0], query, maxUdpReplyBytes);
          expect(typeof reply).toBe('object');
          expect(['NOERROR', 'NXDOMAIN', 'REFUSED']).toContain(tell(reply as Uint8Array).code);
        }),
      );
    },
    patienceMs,
  );
});
