import { decode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cache, type CacheLimits, createCache, entryBytes } from '../../../../src/deliver/dns/forward/cache.ts';
import { type Question, readQuestion } from '../../../../src/deliver/dns/forward/match.ts';
import { fresh, renderReply } from '../../../../src/deliver/dns/forward/render.ts';
import { type Reply, readReply } from '../../../../src/deliver/dns/forward/reply.ts';
import { address, replyTo, type Said, soa } from '../../../fixtures/name-server.ts';
import { queryFor } from './asking.ts';

const usual: CacheLimits = { maxBytes: 1_000_000, maxTtlSeconds: 3600, maxNegativeTtlSeconds: 60, staleSeconds: 0 };

function cacheWith(limits: Partial<CacheLimits> = {}): Cache {
  return createCache({ ...usual, ...limits });
}

function learn(name: string, said: Said): { readonly question: Question; readonly reply: Reply } {
  const query = queryFor(name);
  const question = readQuestion(query);
  const reply = question && readReply(replyTo({ packet: decode(query) }, said), question);
  if (question === undefined || reply === undefined) throw new Error('no reply');
  return { question, reply };
}

const good = (name: string, ttl = 100) => learn(name, { answers: [address(name, ttl)] });

describe('the cache', () => {
  it('knows an answer until its TTL has run out', () => {
    const cache = cacheWith();
    const { question, reply } = good('a.example', 100);
    cache.keep(question.key, reply, 5000);
    expect(cache.find(question.key, 104_999)).toMatchObject({ learnedAt: 5000, isFresh: true });
    expect(cache.find(question.key, 105_000)).toBeUndefined();
    expect(cache.bytes()).toBe(0);
  });

  it('keeps nothing longer than it may, and says so in the TTLs', () => {
    const cache = cacheWith({ maxTtlSeconds: 50 });
    const { question, reply } = good('a.example', 100);
    cache.keep(question.key, reply, 0);
    expect(decode(renderReply(question, reply, fresh, 1232)).answers).toMatchObject([{ ttl: 50 }]);
    expect(cache.find(question.key, 49_999)?.isFresh).toBe(true);
    expect(cache.find(question.key, 50_000)).toBeUndefined();
  });

  it('keeps "no such name" and "no such data" by their SOA, and not without one', () => {
    const cache = cacheWith();
    for (const code of [0, 3]) {
      const { question, reply } = learn(`a${code}.example`, { code, authorities: [soa('example', 600, 20)] });
      cache.keep(question.key, reply, 0);
      expect(cache.find(question.key, 19_999)?.reply.code).toBe(code);
      expect(decode(renderReply(question, reply, fresh, 1232)).authorities).toMatchObject([{ ttl: 20 }]);
      expect(cache.find(question.key, 20_000)).toBeUndefined();
      const long = learn(`b${code}.example`, { code, authorities: [soa('example', 600, 600)] });
      cache.keep(long.question.key, long.reply, 0);
      expect(cache.find(long.question.key, 59_999)).toBeDefined();
      expect(cache.find(long.question.key, 60_000)).toBeUndefined();
      const bare = learn(`c${code}.example`, { code });
      cache.keep(bare.question.key, bare.reply, 0);
      expect(cache.find(bare.question.key, 0)).toBeUndefined();
    }
  });

  it('keeps nothing with a TTL of 0, which also ends what was known before', () => {
    const cache = cacheWith({ staleSeconds: 100 });
    const [old, none] = [good('a.example', 10), good('a.example', 0)];
    cache.keep(old.question.key, old.reply, 0);
    cache.keep(none.question.key, none.reply, 20_000);
    expect(cache.find(old.question.key, 20_000)).toBeUndefined();
    expect(cache.bytes()).toBe(0);
  });

  it('has what has run out for as long as it may be of use', () => {
    const cache = cacheWith({ staleSeconds: 30 });
    const { question, reply } = good('a.example', 10);
    cache.keep(question.key, reply, 0);
    expect(cache.find(question.key, 39_999)?.isFresh).toBe(false);
    expect(cache.find(question.key, 40_000)).toBeUndefined();
  });

  it('remembers for one second that nobody could answer', () => {
    const cache = cacheWith();
    cache.keepFailure('k', 5, 0);
    expect(cache.findFailure('k', 999)).toBe(5);
    expect(cache.findFailure('k', 1000)).toBeUndefined();
    cache.keepFailure('k', 2, 2000);
    cache.keep('k', good('a.example').reply, 2001);
    expect(cache.findFailure('k', 2002)).toBeUndefined();
    for (let other = 0; other < 3000; other += 1) cache.keepFailure(`${other}`, 2, 3000);
    expect([0, 999, 1000, 2999].map((other) => cache.findFailure(`${other}`, 3001))).toEqual([
      undefined,
      undefined,
      2,
      2,
    ]);
  });

  it('gives up what was not used first', () => {
    const replies = ['a', 'b', 'c', 'd'].map((name) => good(`${name}.example`));
    const [a, b, c, d] = replies as [Named, Named, Named, Named];
    const cache = cacheWith({ maxBytes: 3 * (entryBytes + 100) });
    for (const one of [a, b, c]) cache.keep(one.question.key, one.reply, 0);
    cache.find(a.question.key, 1);
    cache.keep(d.question.key, d.reply, 1);
    expect([a, b, c, d].map(({ question }) => cache.find(question.key, 1) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it('is never larger than it may be, and knows exactly what it was told otherwise', () => {
    const names = Array.from({ length: 30 }, (_, index) => good(`n${index}.example`, 10 + index));
    const steps = fc.array(fc.record({ name: fc.nat(29), isKept: fc.boolean(), waitMs: fc.nat(3000) }), {
      minLength: 1,
      maxLength: 120,
    });
    const sizes = fc.constantFrom(0, 700, 5000, 1_000_000);
    fc.assert(
      fc.property(steps, sizes, (course, maxBytes) => {
        const cache = cacheWith({ maxBytes });
        const endsAt = new Map<string, number>();
        let now = 0;
        for (const { name, isKept, waitMs } of course) {
          now += waitMs;
          const { question, reply } = names[name] as Named;
          if (isKept) {
            cache.keep(question.key, reply, now);
            endsAt.set(question.key, now + (10 + name) * 1000);
          }
          const isKnown = cache.find(question.key, now)?.isFresh === true;
          const isTold = now < (endsAt.get(question.key) ?? 0);
          if (maxBytes === 1_000_000) expect(isKnown).toBe(isTold);
          else if (isKnown) expect(isTold).toBe(true);
          expect(cache.bytes()).toBeLessThanOrEqual(maxBytes);
          expect(cache.bytes()).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

type Named = ReturnType<typeof good>;
