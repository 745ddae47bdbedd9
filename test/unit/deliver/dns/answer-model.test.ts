import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chapter, NamedSets, RecordData } from '../../../../src/deliver/dns/records/records.ts';
import { judge, told, type Verdict } from './answer-model.ts';
import { a, asking, cname, named, queryOf, replyTo, soa, tableOf, tell, txt } from './answering.ts';

const zones = ['zone.test', 'other.test', ''];
const labels = ['a', 'b', 'c', '*', '_tcp', 'A'];

/** A name in one of few zones, made of few labels, so that names meet. */
const nameIn = (zone: string) =>
  fc
    .array(fc.constantFrom(...labels), { maxLength: 3 })
    .map((parts) => [...parts, zone].filter((p) => p !== '').join('.'));
const anyName = fc.constantFrom(...zones, 'elsewhere.example').chain(nameIn);

const data = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(
      fc.nat(255).map((n) => a(`10.0.0.${n}`)),
      { minLength: 1, maxLength: 4 },
    ),
  },
  { weight: 1, arbitrary: fc.constant([txt('text')]) },
  { weight: 1, arbitrary: fc.constant([a('10.1.1.1'), txt('text')]) },
  { weight: 3, arbitrary: anyName.map((target) => [cname(target)]) },
  { weight: 2, arbitrary: fc.constant<RecordData[]>([]) },
);

const entry = fc.constantFrom(...zones.slice(0, 2)).chain((zone) =>
  fc.record({
    name: nameIn(zone),
    data,
    apex: fc.constant(zone),
    otherTypes: fc.constantFrom('nodata' as const, 'nodata' as const, 'forward' as const, 'foreign' as const),
    chapter: fc.nat(3),
  }),
);

/** Chapters with no name twice; the zones of the first have a SOA, if the zone itself got no other records. */
const book = fc.array(entry, { maxLength: 14 }).map((entries): Chapter[] => {
  const names = new Map<string, { readonly one: NamedSets; readonly chapter: number }>();
  for (const zone of zones.slice(0, 1)) names.set(zone, { one: named(zone, [soa(zone)], { apex: zone }), chapter: 9 });
  for (const { name, data: records, chapter, ...rest } of entries) {
    if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), { one: named(name, records, rest), chapter });
  }
  const all = [...names.values()];
  return [...new Set(all.map(({ chapter }) => chapter))].map((key) => ({
    key: String(key),
    names: all.filter(({ chapter }) => chapter === key).map(({ one }) => one),
  }));
});

/** What a reply says, in the words of the model. */
function verdictOf(reply: Uint8Array | 'later' | undefined): Verdict {
  if (reply === 'later') return { code: 'later', answers: [] };
  const { code, packet, authorities } = tell(reply as Uint8Array);
  const answers = (packet.answers ?? []).map((record) => {
    const { type } = record;
    const name = record.name === '.' ? '' : record.name;
    if (record.type === 'A') return told(name, a(record.data));
    if (record.type === 'CNAME') return told(name, cname(record.data === '.' ? '' : record.data));
    if (record.type === 'TXT') return told(name, txt(String(record.data)));
    return `${name} ${type}`;
  });
  const [denial] = authorities;
  return { code: code as Verdict['code'], answers, deniedBy: denial?.split(' ')[0]?.toLowerCase().replace(/^\.$/, '') };
}

const questions = fc.array(fc.tuple(anyName, fc.constantFrom('A', 'TXT', 'CNAME', 'MX', 'AAAA')), {
  minLength: 1,
  maxLength: 20,
});

/** For properties, on a machine that has other things to do. */
const patienceMs = 60_000;

describe('answers', () => {
  it(
    'are those of a slow and obvious model, for whatever chapters and questions',
    () => {
      fc.assert(
        fc.property(book, questions, fc.boolean(), (chapters, asked, forwards) => {
          const { answerer } = asking(tableOf(...chapters), forwards);
          for (const [name, type] of asked) {
            const expected = judge(chapters, name, type, forwards);
            const { code, answers, deniedBy } = verdictOf(replyTo(answerer, queryOf(name, type as 'A'), 65_535));
            expect({ name, type, code, answers: [...answers].sort(), deniedBy }).toEqual({
              name,
              type,
              code: expected.code,
              answers: expected.code === 'later' ? [] : [...expected.answers].sort(),
              deniedBy: expected.deniedBy,
            });
          }
        }),
        { numRuns: 400 },
      );
    },
    patienceMs,
  );
});
