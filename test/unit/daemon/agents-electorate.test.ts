import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serviceSchema } from '../../../src/config/schema.ts';
import { electorateOf, votersOf } from '../../../src/daemon/agents/agents-electorate.ts';
import { tallyService } from '../../../src/judge/verdict.ts';
import type { RegisteredObserver } from '../../../src/publish/ballot-reader.ts';
import { targets } from '../../fixtures/lists.ts';

const observer = (id: string, kind: 'server' | 'agent', services: readonly string[] = ['web']): RegisteredObserver => {
  const votes = new Map([['t1', { health: 'up', code: 'ok', sinceAt: 0 } as const]]);
  const ballot = { observer: id, services: new Map(services.map((name) => [name, votes])) };
  return { id, kind, isFresh: true, isTransient: kind === 'agent', services, ballot };
};
const service = (agents?: object, vote: object = {}) =>
  serviceSchema.parse({ name: 'web', check: 'tcp', vote, ...(agents === undefined ? {} : { agents }) });
const everybody = [observer('n1', 'server'), observer('n2', 'server'), observer('a', 'agent'), observer('b', 'agent')];
const idsOf = (observers: readonly RegisteredObserver[]) => observers.map(({ id }) => id).join();
/** The verdict on a target that was up before. */
const verdict = (of: ReturnType<typeof service>, observers: readonly RegisteredObserver[]) =>
  tallyService(
    votersOf(of, observers) ?? [],
    'web',
    targets('t1'),
    of.vote,
    new Map([['t1', { health: 'up', code: 'ok' }]]),
  );

describe('the electorate of a service with agents', () => {
  it('is whoever is registered for it, servers and agents alike', () => {
    const others = [...everybody, observer('c', 'agent', ['mail'])];
    expect(idsOf(electorateOf(service({}), others))).toBe('n1,n2,a,b');
    expect(idsOf(electorateOf(service(), others))).toBe('n1,n2,a,b');
  });

  it('has no server where agents alone decide, not even one whose record still says so', () => {
    expect(idsOf(electorateOf(service({ only: true }), everybody))).toBe('a,b');
  });

  it('has each agent that is named and no other, whether heard of or not', () => {
    const named = electorateOf(service({ ids: ['b', 'c'] }), everybody);
    expect(idsOf(named)).toBe('n1,n2,b,c');
    expect(named.at(-1)).toMatchObject({ isFresh: false, kind: 'agent', services: ['web'] });
    const elsewhere = [observer('b', 'agent', ['mail'])];
    expect(electorateOf(service({ only: true, ids: ['b'] }), elsewhere)).toMatchObject([{ id: 'b', isFresh: false }]);
  });

  it('does not shift by agents that nobody named, however many come', () => {
    const of = service({ only: true, ids: ['a', 'b', 'c'] }, { policy: 'quorum' });
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[d-z]{1,4}$/), { maxLength: 20 }), (invented) => {
        const crowd = [...everybody, ...invented.map((id) => observer(id, 'agent'))];
        expect(verdict(of, crowd)).toEqual(verdict(of, everybody));
        expect(verdict(of, crowd).get('t1')).toMatchObject({ health: 'up', yes: 2, missing: 1, need: 2 });
      }),
      { numRuns: 50 },
    );
  });
});

describe('where nobody but agents votes and none is left', () => {
  const servers = everybody.slice(0, 2);

  it('silence is what the service says that it is', () => {
    const down = verdict(service({ only: true }, { policy: 'any', missing: 'down' }), servers).get('t1');
    expect(down).toMatchObject({ health: 'down', yes: 0, missing: 1 });
    for (const vote of [{ policy: 'any' }, { policy: 'quorum', missing: 'down' }]) {
      expect(verdict(service({ only: true }, vote), servers).get('t1')).toMatchObject({ health: 'up', isKept: true });
    }
  });

  it('nothing is known before the votes were read', () => {
    expect(votersOf(service({ only: true }), undefined)).toBeUndefined();
    expect(votersOf(service(), [])).toEqual([]);
  });
});
