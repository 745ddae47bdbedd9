import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileChapter } from '../../../../src/deliver/dns/records/compile.ts';
import type { RecordSet } from '../../../../src/deliver/dns/records/records.ts';
import { type ServiceRecordRules, serviceChapter } from '../../../../src/deliver/dns/records/service-records.ts';
import type { ServiceName } from '../../../../src/deliver/dns/records/zones.ts';
import { type Slot, type SlotHealth, servingWeight, type TakenSlot } from '../../../../src/model/slot.ts';
import type { Panic } from '../../../../src/model/snapshot.ts';
import { down, list, serviceTexts, slot, up, webName, webTexts } from '../../../fixtures/dns-records.ts';
import { snapshotOf, startAt, taken, target } from '../../../fixtures/lists.ts';

const panic = (serves: Panic['serves'], fields: Partial<Panic> = {}): Panic => ({
  sinceAt: startAt,
  serves,
  ...fields,
});

describe('how long an answer may be kept', () => {
  it.each([
    ['the usual time', slot(1), 5],
    ['the usual time without any check', taken(1, target('t1')), 5],
    ['a short time while observers contradict each other', slot(1, { health: { ...up, isInDoubt: true } }), 1],
    [
      'a short time while one that is down may be up',
      slot(1, { health: { ...down, isInDoubt: true }, out: 'down' }),
      1,
    ],
    ['a short time before anything is known', slot(1, { health: { ...up, verdict: 'undecided' }, out: 'new' }), 1],
    [
      'the usual time where an operator has decided',
      slot(1, { health: { ...up, isInDoubt: true }, override: 'maint' }),
      5,
    ],
  ])('is %s', (_, one, ttlSeconds) => {
    expect(webTexts({ snapshot: list(one, slot(2)) }, 'A')[0]).toMatch(new RegExp(`^A ${ttlSeconds} `));
  });

  it('is never longer in doubt, and may be no time at all', () => {
    const snapshot = list(slot(1, { health: { ...up, isInDoubt: true } }));
    expect(webTexts({ snapshot, rules: { ttlSeconds: 0 } }, 'A')).toEqual(['A 0 turns: 10.0.0.1']);
  });
});

describe('a panic', () => {
  it.each([
    ['last-good', 'those that served last go on'],
    ['all', 'all of them serve'],
    ['first', 'the first one serves'],
  ] as const)('that serves %s gives who serves, and says so', (serves, words) => {
    const snapshot = {
      ...list(slot(1, { health: down }), slot(2, { health: down, out: 'down' })),
      panic: panic(serves),
    };
    expect(webTexts({ snapshot }, 'A')).toEqual(['A 5 turns: 10.0.0.1']);
    expect(webTexts({ snapshot }, 'TXT')[0]).toContain(
      `panic: no target is up since 2023-11-14T22:13:20Z, and ${words}`,
    );
  });

  it('that serves nobody leaves no address', () => {
    const snapshot = { ...list(slot(1, { health: down, out: 'down' })), panic: panic('none') };
    expect(serviceTexts({ snapshot })['web.ha.local']).toEqual([expect.stringMatching(/^TXT .*and nobody serves/)]);
  });

  it('that has fallback addresses gives them, with their own TTL where there is one', () => {
    const fallback = ['192.0.2.9', '2001:db8::9', '192.0.2.8'];
    const snapshot = { ...list(slot(1, { health: down, out: 'down' })), panic: panic('fallback', { fallback }) };
    expect(webTexts({ snapshot, rules: { fallbackTtlSeconds: 30, answers: 1, order: 'weighted' } }, 'A')).toEqual([
      'A 30 turns 1: 192.0.2.9, 192.0.2.8',
    ]);
    expect(webTexts({ snapshot }, 'AAAA')).toEqual(['AAAA 5 turns: 2001:db8::9']);
    expect(webTexts({ snapshot }, 'SRV')).toEqual([]);
    expect(webTexts({ snapshot }, 'TXT')[0]).toContain('3 fallback addresses answer');
  });
});

describe('every chapter, whatever the list', () => {
  const health = fc.record(
    {
      verdict: fc.constantFrom('up', 'down', 'undecided'),
      code: fc.constantFrom('ok', 'timeout'),
      sinceAt: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      isInDoubt: fc.constant(true),
    },
    { requiredKeys: ['verdict', 'code', 'sinceAt'] },
  ) as fc.Arbitrary<SlotHealth>;
  const lodger = fc.record(
    {
      address: fc.oneof(fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1'), fc.ipV4(), fc.ipV6()),
      port: fc.integer({ min: 1, max: 65_535 }),
      priority: fc.nat({ max: 65_535 }),
    },
    { requiredKeys: ['address'] },
  );
  const takenFields = fc.record(
    {
      weight: fc.nat({ max: 256 }),
      health,
      override: fc.constantFrom('ready', 'drain', 'maint'),
      out: fc.constantFrom('down', 'new', 'standby'),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Partial<TakenSlot>>;
  const anySlot = fc.tuple(fc.constantFrom('free', 'taken', 'draining'), lodger, takenFields, fc.nat());
  const slots = fc.array(anySlot, { maxLength: 12 }).map((all) =>
    all.map(([state, of, fields, drainUntil], n): Slot => {
      if (state === 'free') return { state, index: n + 1 };
      const one = taken(n + 1, target(`t${n}`, of), fields);
      return state === 'taken' ? one : ({ ...one, state: 'draining', drainUntil } as Slot);
    }),
  );
  const anyPanic = fc.record({
    sinceAt: fc.nat(),
    serves: fc.constantFrom('last-good', 'all', 'first', 'none', 'fallback'),
    fallback: fc.array(fc.ipV4()),
  }) as fc.Arbitrary<Panic>;
  const rules = fc.record({
    ttlSeconds: fc.nat({ max: 604_800 }),
    doubtTtlSeconds: fc.nat({ max: 604_800 }),
    order: fc.constantFrom('fixed', 'turns', 'weighted'),
    answers: fc.constantFrom(1, 3, Number.POSITIVE_INFINITY),
    otherTypes: fc.constantFrom('nodata', 'forward'),
  }) as fc.Arbitrary<ServiceRecordRules>;
  const rank = fc.option(fc.array(fc.nat({ max: 12 }).map((n) => `t${n}`)), { nil: undefined });

  it('compiles, has no name twice, keeps within the ranges, and gives only addresses that serve', () => {
    fc.assert(
      fc.property(slots, fc.option(anyPanic, { nil: undefined }), rules, rank, (all, inPanic, how, order) => {
        const snapshot = snapshotOf(all, inPanic && { panic: inPanic });
        const undeclared: ServiceName = { ...webName, kind: 'undeclared', name: '*.ha.local' };
        const names = [webName, undeclared];
        const chapter = serviceChapter({ service: 'web', names, snapshot, rules: how, ...(order && { rank: order }) });
        expect(compileChapter(chapter).length).toBeGreaterThan(0);
        expect(new Set(chapter.names.map(({ name }) => name)).size).toBe(chapter.names.length);
        const able = all.flatMap((one) =>
          one.state === 'taken' && servingWeight(one) > 0 ? [one.target.address] : [],
        );
        const allowed = inPanic?.serves === 'fallback' ? (inPanic.fallback ?? []) : able;
        const told = chapter.names.flatMap(({ name, sets }) => (name.startsWith('slot-') ? [] : sets));
        for (const set of told) checkSet(set, how, allowed);
        const hasAddress = told.some(({ type }) => type === 'A' || type === 'AAAA');
        expect(hasAddress).toBe(allowed.length > 0);
      }),
    );
  });

  function checkSet(
    { ttlSeconds, records, answers }: RecordSet,
    how: ServiceRecordRules,
    allowed: readonly string[],
  ): void {
    expect(ttlSeconds).toBeLessThanOrEqual(how.ttlSeconds);
    expect(ttlSeconds).toBeGreaterThanOrEqual(Math.min(how.ttlSeconds, how.doubtTtlSeconds));
    expect(answers).toBeGreaterThan(0);
    expect(answers).toBeLessThanOrEqual(records.length);
    for (const { data, weight = 0 } of records) {
      expect(weight).toBeLessThanOrEqual(65_535);
      if ('address' in data) expect(allowed).toContain(data.address);
      if (data.type !== 'SRV') continue;
      expect(data.weight).toBeLessThanOrEqual(256);
      expect(data.priority).toBeGreaterThanOrEqual(0);
      expect(data.priority).toBeLessThanOrEqual(65_535);
      expect(data.port).toBeGreaterThan(0);
    }
  }
});
