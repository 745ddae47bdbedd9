import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAnswerer } from '../../../../src/deliver/dns/answer/answer.ts';
import { createPacketCache } from '../../../../src/deliver/dns/answer/packet-cache.ts';
import { compileChapter, joinChapters } from '../../../../src/deliver/dns/records/compile.ts';
import type { Chapter, NamedSets, RecordData, RecordSet } from '../../../../src/deliver/dns/records/records.ts';
import { maxUdpReplyBytes } from '../../../../src/deliver/dns/responder.ts';
import { a, apex, cname, named, queryOf, setOf, soa, tableOf, txt } from './answering.ts';

const addresses = (count: number) => Array.from({ length: count }, (_, index) => a(`10.0.0.${index + 1}`));
const hosts = (count: number): RecordData[] =>
  Array.from({ length: count }, (_, n) => ({ type: 'SRV', priority: 0, weight: 1, port: n, target: `h${n}.${apex}` }));

/** Sets of every kind: those that take turns or go by weight, whole or a few of them at a time, and those that point on. */
const sets = fc.oneof(
  fc
    .record({
      count: fc.integer({ min: 1, max: 40 }),
      order: fc.constantFrom<RecordSet['order']>('fixed', 'turns', 'weighted'),
      answers: fc.constantFrom(1, 3, 1000),
      make: fc.constantFrom(addresses, hosts, (count: number) =>
        Array.from({ length: count }, (_, n) => txt('x'.repeat(n))),
      ),
    })
    .map(({ count, order, answers, make }) => [
      setOf(make(count), { order, answers, records: make(count).map((data, n) => ({ data, weight: 1 + (n % 3) })) }),
    ]),
  fc.constantFrom('a', 'b', 'c', 'elsewhere').map((target) => [setOf([cname(`${target}.${apex}`)])]),
);

const names = ['a', 'b', 'c', '*'];
const book = fc
  .tuple(...names.map(() => fc.option(sets, { nil: undefined })))
  .map((all): Chapter[] =>
    all.map((its, n) => ({ key: names[n] as string, names: its ? [nameOf(names[n] as string, its)] : [] })),
  );

function nameOf(label: string, its: readonly RecordSet[]): NamedSets {
  return { name: `${label}.${apex}`, sets: its, apex, otherTypes: 'nodata' };
}

const question = fc
  .record({
    label: fc.constantFrom('a', 'b', 'c', 'h1', 'A', 'none'),
    type: fc.constantFrom('A', 'SRV', 'TXT', 'AAAA', 'ANY'),
    edns: fc.constantFrom(undefined, undefined, 512, 4096),
    id: fc.nat(0xffff),
  })
  .map(({ label, type, edns, id }) =>
    queryOf(`${label}.${apex}`, type as 'A', { id, ...(edns === undefined ? {} : { edns }) }),
  );

const apexChapter: Chapter = { key: 'zone', names: [named(apex, [soa()])] };
const hostChapter: Chapter = {
  key: 'hosts',
  names: Array.from({ length: 6 }, (_, n) => named(`h${n}.${apex}`, addresses(n + 1))),
};

/** An answerer with a cache or without, and how to change what it answers from. */
function start(isCached: boolean) {
  const table = tableOf(apexChapter, hostChapter);
  const plain = createAnswerer(table, { forwards: false });
  const answerer = isCached ? createPacketCache(plain, table) : plain;
  const reply = new Uint8Array(maxUdpReplyBytes);
  return {
    install: (chapters: readonly Chapter[]) => table.install(joinChapters(chapters.map(compileChapter))),
    settle: () => table.settle(2),
    ask(query: Uint8Array, limitBytes = maxUdpReplyBytes) {
      const into = limitBytes > maxUdpReplyBytes ? new Uint8Array(limitBytes) : reply;
      const size = answerer.answer(query, 0, query.length, limitBytes, into);
      const { lastType, lastCode, lastQuestionBytes, lastOwner } = answerer;
      return {
        said: Buffer.from(into.subarray(0, size)).toString('hex'),
        lastType,
        lastCode,
        lastQuestionBytes,
        lastOwner,
      };
    },
  };
}

describe('a packet cache', () => {
  it('changes nothing about any answer, whatever is asked how often while chapters come and go', () => {
    const step = fc.oneof(
      { weight: 1, arbitrary: fc.record({ install: book }) },
      {
        weight: 12,
        arbitrary: fc.record({ ask: fc.nat(5), times: fc.integer({ min: 1, max: 6 }), isTcp: fc.boolean() }),
      },
      { weight: 1, arbitrary: fc.constant('settle' as const) },
    );
    fc.assert(
      fc.property(
        fc.array(question, { minLength: 6, maxLength: 6 }),
        book,
        fc.array(step),
        (questions, first, steps) => {
          const both = [start(true), start(false)] as const;
          for (const one of both) one.install(first);
          for (const one of both) while (!one.settle());
          for (const now of steps) {
            if (now === 'settle') for (const one of both) one.settle();
            else if ('install' in now) for (const one of both) one.install(now.install);
            else {
              const query = Buffer.from(questions[now.ask] as Buffer);
              for (let time = 0; time < now.times; time += 1) {
                query.writeUInt16BE((query.readUInt16BE(0) + 1) & 0xffff, 0);
                const limit = now.isTcp && time === 1 ? 65_535 : maxUdpReplyBytes;
                expect(both[0].ask(query, limit)).toEqual(both[1].ask(query, limit));
              }
            }
          }
        },
      ),
      { numRuns: 1500 },
    );
  }, 60_000);

  it('does not take addresses beside a record for records whose turn it is, when they are as long', () => {
    const one = setOf(hosts(2), { order: 'turns', answers: 1 });
    const both = [start(true), start(false)] as const;
    for (const { install, settle } of both) {
      install([{ key: 'a', names: [nameOf('a', [one])] }]);
      while (!settle());
    }
    for (let id = 0; id < 8; id += 1) {
      const query = queryOf(`a.${apex}`, 'SRV', { id });
      expect(both[0].ask(query)).toEqual(both[1].ask(query));
    }
  });
});
