import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quorumOf } from '../../../src/judge/quorum.ts';
import type { Observer } from '../../../src/model/ballot.ts';

const observer = (id: string, fields: Partial<Observer> = {}): Observer => ({
  id,
  isFresh: true,
  services: ['web'],
  ballot: { observer: id, services: new Map() },
  ...fields,
});
const registered = { electorate: 'registered' } as const;

describe('the quorum of a service', () => {
  it('counts those who watch the service, are fresh and do not abstain', () => {
    const observers = [
      observer('a'),
      observer('b', { abstains: 'its way out is down' }),
      observer('c', { isFresh: false }),
      observer('d', { services: ['db'] }),
    ];
    expect(quorumOf(observers, 'web', registered)).toEqual({ registered: 3, voting: 1, needed: 2, isMet: false });
    expect(quorumOf(observers, 'db', registered).isMet).toBe(true);
  });

  it('is not met while nobody votes, whoever is counted on', () => {
    for (const electorate of ['registered', 'live'] as const) {
      expect(quorumOf([], 'web', { electorate }).isMet).toBe(false);
      expect(quorumOf([observer('a', { isFresh: false })], 'web', { electorate }).isMet).toBe(false);
    }
  });

  it('asks nothing of the silent where only the living are counted on', () => {
    const observers = [observer('a'), observer('b', { isFresh: false }), observer('c', { isFresh: false })];
    expect(quorumOf(observers, 'web', { electorate: 'live' })).toMatchObject({ registered: 1, isMet: true });
  });

  it('is met exactly by more than half of those registered', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), (fresh) => {
        const observers = fresh.map((isFresh, n) => observer(`o-${n}`, { isFresh }));
        const voting = fresh.filter(Boolean).length;
        expect(quorumOf(observers, 'web', registered).isMet).toBe(2 * voting > fresh.length);
      }),
    );
  });
});
