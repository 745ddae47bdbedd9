import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Vote } from '../../../src/model/ballot.ts';
import { probeCodes } from '../../../src/model/probe.ts';
import {
  encodePart,
  maxParts,
  parseObserver,
  parsePart,
  partOf,
  partsFor,
} from '../../../src/publish/ballot-format.ts';
import { createBallotReader } from '../../../src/publish/ballot-reader.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { startAt } from '../../fixtures/lists.ts';

const never = new AbortController().signal;
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 255 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '0', 'ü'),
);
const anyVote: fc.Arbitrary<Vote> = fc.record(
  {
    health: fc.constantFrom('up', 'down'),
    about: fc.string({ minLength: 1, maxLength: 300 }),
    code: fc.constantFrom(...probeCodes),
    sinceAt: fc.nat(),
    connectMs: fc.double({ min: 0, max: 1000, noNaN: true }).map(Math.abs),
    totalMs: fc.nat(80_000),
    role: fc.constantFrom('primary', 'replica'),
    timeline: fc.nat(),
  },
  { requiredKeys: ['health', 'code', 'sinceAt'], noNullPrototype: true },
);
const votesOf = (max: number) => fc.array(fc.tuple(name, anyVote), { maxLength: max }).map((pairs) => new Map(pairs));

describe('a part of a ballot', () => {
  it('comes back as it was, whatever services and targets are called, packed or not', () => {
    const services = fc.array(fc.tuple(name, votesOf(40)), { maxLength: 3 }).map((pairs) => new Map(pairs));
    fc.assert(
      fc.property(services, (votes) => {
        expect(parsePart('k', encodePart('run', 3, votes))).toEqual({ run: 'run', revision: 3, votes, faults: [] });
      }),
      { numRuns: 60 },
    );
  });

  it('is one of a power of two, in which votes are spread evenly', () => {
    expect([0, 1, 200, 201, 6000, 1e6].map(partsFor)).toEqual([1, 1, 1, 2, 32, maxParts]);
    const counts = new Array<number>(32).fill(0);
    for (let n = 0; n < 6400; n++) {
      const at = partOf('web', `10.0.${n >> 8}.${n & 255}`, 32);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(100);
    expect(Math.max(...counts)).toBeLessThan(300);
  });

  it('loses only the votes that cannot be read, and names their service', () => {
    const good = { id: 'a', health: 'up', sinceAt: startAt };
    const rows = [
      good,
      { ...good, id: 'b', code: 'a code of tomorrow', health: 'down', surprise: 1 },
      { ...good, id: '' },
      { ...good, id: 5 },
      { ...good, id: 'x'.repeat(256) },
      { ...good, health: 'sideways' },
      { ...good, sinceAt: null },
      { ...good, connectMs: -1 },
      { ...good, timeline: 1.5 },
      { ...good, role: 'king' },
      null,
      [],
    ];
    const { votes, faults } = parsePart(
      'k',
      JSON.stringify({ format: 1, run: 'r', revision: 1, votes: [['web', rows]] }),
    );
    expect(votes.get('web')).toEqual(
      new Map([
        ['a', { health: 'up', code: 'ok', sinceAt: startAt }],
        ['b', { health: 'down', code: 'error', sinceAt: startAt }],
      ]),
    );
    expect(faults).toHaveLength(10);
    expect(faults[0]).toBe('k: a vote about service "web" is not what hsdo writes');
  });

  it('is refused when it is something else, or unpacks to more than anybody wrote', () => {
    const packed = (text: string) => JSON.stringify({ format: 1, run: 'r', revision: 1, packed: text });
    const zip = (text: string) => packed(gzipSync(text).toString('base64'));
    for (const text of [
      '',
      'null',
      '{}',
      '{"format":2}',
      '{"format":1,"run":"r","revision":0}',
      '{"format":1,"run":"r","revision":1,"votes":{"__proto__":[]}}',
      packed('no gzip'),
      zip('no json'),
      zip('{"web":[]}'),
      zip('[["web"]]'),
      zip(`[["web",[${'0,'.repeat(5 * 1024 * 1024)}0]]]`),
    ]) {
      expect(() => parsePart('k', text)).toThrowError(expect.objectContaining({ code: 'rejected' }));
    }
  });
});

describe("an observer's record", () => {
  const record = {
    format: 1,
    kind: 'agent',
    isTransient: true,
    ttlMs: 1000,
    services: ['web'],
    run: 'r',
    ballotRevision: 1,
    parts: [1],
    beat: 0,
  };

  it('of a newer hsdo may say more', () => {
    const { format: _format, ...known } = record;
    expect(parseObserver('k', JSON.stringify({ ...record, mood: 'good' }))).toEqual(known);
    expect(parseObserver('k', JSON.stringify({ ...record, kind: 'oracle' }))).toMatchObject({ kind: 'server' });
  });

  it('is refused with wrong types, and never makes a reader fail', async () => {
    const store = openMemoryStore(createMemoryEngine());
    const reader = createBallotReader({ store, clock: createFakeClock() });
    for (const bad of [
      { ttlMs: 0 },
      { ttlMs: 1e12 },
      { ttlMs: '1000' },
      { services: 'web' },
      { services: [''] },
      { parts: [0] },
      { parts: new Array(33).fill(1) },
      { ballotRevision: 0.5 },
      { run: '' },
      { isTransient: 'no' },
      { abstains: {} },
      { format: 2 },
      { parts: { __proto__: [] } },
    ]) {
      await store.commit([{ op: 'put', key: 'observer/x', value: JSON.stringify({ ...record, ...bad }) }], never);
      expect(await reader.read(never)).toEqual([]);
      expect(reader.unreadable()).toEqual([expect.stringMatching(/^Cannot read "observer\/x": /)]);
    }
  });

  it('counts without votes while its parts are missing, of another life or garbage, and with them once they are there', async () => {
    const store = openMemoryStore(createMemoryEngine());
    const reader = createBallotReader({ store, clock: createFakeClock() });
    const put = (key: string, value: string) => store.commit([{ op: 'put', key, value }], never);
    const votes = new Map([['web', new Map([['a', { health: 'up', code: 'ok', sinceAt: 1 } as const]])]]);
    const sizes = async () => (await reader.read(never)).map((one) => one.ballot.services.get('web')?.size);
    await put('observer/x', JSON.stringify(record));
    expect(await sizes()).toEqual([0]);
    expect(reader.unreadable()).toEqual([expect.stringContaining('did not belong together')]);
    for (const text of [encodePart('other', 1, votes), encodePart('r', 2, votes), '"garbage"']) {
      await put('ballot/x/00', text);
      await put('observer/x', JSON.stringify(record));
      expect(await sizes()).toEqual([0]);
      expect(reader.unreadable()).toHaveLength(1);
    }
    await put('ballot/x/00', encodePart('r', 2, votes));
    await put('observer/x', JSON.stringify({ ...record, ballotRevision: 2, parts: [2] }));
    expect(await sizes()).toEqual([1]);
    expect(reader.unreadable()).toEqual([]);
  });
});
