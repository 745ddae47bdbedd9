import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ServiceConfig, serviceSchema } from '../../../src/config/schema.ts';
import { createJudging } from '../../../src/daemon/judging.ts';
import type { Vote } from '../../../src/model/ballot.ts';
import { isDecided } from '../../../src/model/probe.ts';
import { type Slot, servingWeight, type TakenSlot } from '../../../src/model/slot.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { snapshotOf, startAt, taken, target } from '../../fixtures/lists.ts';
import { ballot, vote } from '../../fixtures/votes.ts';

const ids = ['a', 'b', 'c'];
const source = { kind: 'static', targets: [] };
const postgres = { kind: 'postgres', user: 'checker', role: 'primary' };

function service(fields: object = {}): ServiceConfig {
  return serviceSchema.parse({ name: 'db', source, check: postgres, vote: { policy: 'quorum' }, ...fields });
}

type Votes = Readonly<Record<string, Vote>>;
interface Round {
  readonly isWaitOver?: boolean;
  readonly forgetToken?: string | undefined;
  readonly overrides?: Readonly<Record<string, TakenSlot['override']>>;
}

/** Plays the rounds of a leader on what the one before published; a ballot for each observer, missing where it is silent. */
function play(config: ServiceConfig, first?: Snapshot) {
  const judging = createJudging(config);
  let before = first;
  let now = startAt;
  const names = first ? first.slots.flatMap((slot) => (slot.state === 'taken' ? [slot.target.id] : [])) : ids;
  return {
    published: () => before,
    slot: (id: string) => before?.slots.find((one) => one.state === 'taken' && one.target.id === id) as TakenSlot,
    /** Gives the ids of those that serve. */
    round(ballots: readonly (Votes | undefined)[] | undefined, more: Round = {}): string[] {
      now += 1000;
      const slots = (before?.slots ?? names.map((id, n) => taken(n + 1, target(id)))).map((slot): Slot => {
        if (slot.state !== 'taken') return slot;
        const { override: _, ...rest } = slot;
        const override = more.overrides?.[slot.target.id];
        return override ? { ...rest, override } : rest;
      });
      const observers = ballots?.map((votes, n) => ({
        id: `o${n}`,
        isFresh: votes !== undefined,
        services: ['db'],
        ballot: ballot(`o${n}`, { db: votes ?? {} }),
      }));
      const { desired } = judging({
        desired: { service: 'db', slots, unplaced: [] },
        before,
        observers,
        isWaitOver: more.isWaitOver ?? true,
        forgetToken: more.forgetToken,
        now,
      });
      before = snapshotOf(desired.slots, { ...desired, revision: (before?.revision ?? 0) + 1 });
      return before.slots.flatMap((slot) =>
        slot.state === 'taken' && servingWeight(slot) > 0 ? [slot.target.id] : [],
      );
    },
  };
}

const primary = (timeline: number) => vote('up', { role: 'primary', timeline });
const rising = (timeline: number) => vote('down', { code: 'not-primary', role: 'primary', timeline });
const replica = vote('down', { code: 'not-primary', role: 'replica' });
const silent = vote('down', { code: 'timeout' });
const both = (votes: Votes) => [votes, votes];

describe('two primaries of PostgreSQL', () => {
  it('are never both served: the older goes as soon as one observer sees the newer, which comes when it is up', () => {
    const { round, slot, published } = play(service());
    expect(round(both({ a: primary(1), b: replica }))).toEqual(['a']);
    expect(round([{ a: primary(1), b: rising(2) }, both({ a: primary(1), b: replica })[0]])).toEqual([]);
    expect(slot('a')).toMatchObject({ out: 'down', health: { verdict: 'down', code: 'second-primary' } });
    expect(published()?.panic).toMatchObject({ serves: 'last-good' });
    expect(round(both({ a: primary(1), b: primary(2) }))).toEqual(['b']);
    expect(published()?.primary).toEqual({ highestTimeline: 2, lastId: 'b' });
    expect(published()?.panic).toBeUndefined();
    expect(round(both({ a: primary(1), b: silent }))).toEqual(['b']);
    expect(slot('b')).toMatchObject({ health: { verdict: 'down', code: 'timeout' } });
  });

  it('are not both served after a restart of all observers, when the first vote is the new one’s', () => {
    const { round } = play(service());
    expect(round(both({ a: primary(1) }))).toEqual(['a']);
    expect(round([undefined, undefined])).toEqual(['a']);
    expect(round(both({}))).toEqual(['a']);
    expect(round(both({ b: primary(2) }))).toEqual(['b']);
  });

  it('are both no business of a service that wants replicas', () => {
    const { round, published } = play(service({ check: { ...postgres, role: 'replica' } }));
    const wrong = vote('down', { code: 'not-replica', role: 'primary', timeline: 3 });
    const right = vote('up', { role: 'replica', timeline: 3 });
    expect(round(both({ a: wrong, b: right, c: right }))).toEqual(['b', 'c']);
    expect(published()?.primary).toBeUndefined();
  });

  it('leave the replicas served where every role is welcome', () => {
    const { round, slot } = play(service({ check: { ...postgres, role: 'any' } }));
    const votes = { a: primary(1), b: vote('up', { role: 'replica' }), c: primary(2) };
    expect(round(both(votes))).toEqual(['b', 'c']);
    expect(slot('a').health?.code).toBe('second-primary');
    expect(round([undefined, undefined])).toEqual(['b', 'c']);
  });
});

describe('whoever says itself that it is not the one wanted', () => {
  it.each(['last-good', 'all', 'first', 'none'] as const)(
    'is not brought back when all are down and whenAllDown is %s',
    (whenAllDown) => {
      for (const code of ['not-primary', 'second-primary'] as const) {
        const { round } = play(service({ whenAllDown }));
        expect(round(both({ a: primary(1), b: replica, c: replica }))).toEqual(['a']);
        expect(round(both({ a: vote('down', { code, role: 'replica' }), b: replica, c: silent }))).toEqual([]);
      }
      const sentinels = { kind: 'redis-sentinel', masterName: 'm', sentinels: [{ host: '127.0.0.1' }] };
      const redis = play(service({ check: sentinels, whenAllDown }));
      const [master, other] = [vote('up', { role: 'primary' }), vote('down', { code: 'not-master' })];
      expect(redis.round(both({ a: master, b: other, c: other }))).toEqual(['a']);
      expect(redis.round(both({ a: other, b: other, c: other }))).toEqual([]);
    },
  );

  it('differs from one that only fell silent: that one was served to the last', () => {
    const { round } = play(service({ whenAllDown: 'all' }));
    expect(round(both({ a: primary(1), b: replica, c: replica }))).toEqual(['a']);
    expect(round(both({ a: silent, b: replica, c: replica }))).toEqual(['a']);
  });
});

describe('a list that HSDO left', () => {
  const legacy = () => snapshotOf([taken(1, target('a')), taken(2, target('b'))], { service: 'db', epoch: 0 });

  it('goes on serving before there are votes, and by them once they are there', () => {
    const config = service({ check: { kind: 'tcp' } });
    for (const ballots of [undefined, [], [undefined], [{}]]) {
      expect(play(config, legacy()).round(ballots, { isWaitOver: false })).toEqual(['a', 'b']);
    }
    const { round } = play(config, legacy());
    expect(round([{ a: vote('up') }])).toEqual(['a', 'b']);
    expect(round([{ a: vote('up'), b: vote('down') }])).toEqual(['a']);
  });

  it('keeps one of two primaries with the first votes', () => {
    const { round } = play(service(), legacy());
    expect(round(both({ a: primary(4), b: primary(4) }))).toEqual(['a']);
  });
});

describe('an operator’s request to forget', () => {
  it('lets a group that was set up anew begin with its first timeline, and counts once', () => {
    const { round, published } = play(service());
    round(both({ a: primary(7) }));
    expect(round(both({ a: primary(1) }))).toEqual([]);
    expect(round(both({ a: primary(1) }), { forgetToken: 't1' })).toEqual(['a']);
    expect(published()?.primary).toEqual({ highestTimeline: 1, lastId: 'a', forgotten: 't1' });
    expect(round(both({ a: primary(1), b: primary(2) }), { forgetToken: 't1' })).toEqual(['b']);
    expect(round(both({ a: primary(1), b: silent }), { forgetToken: 't1' })).toEqual(['b']);
    expect(round(both({ a: primary(1), b: replica }), { forgetToken: 't1' })).toEqual([]);
    expect(round(both({ a: primary(1), b: replica }), { forgetToken: 't2' })).toEqual(['a']);
  });

  it('does not make two of the one that serves and nobody votes on, and another', () => {
    const { round } = play(service());
    round(both({ a: primary(7) }));
    expect(round(both({ b: primary(1) }), { forgetToken: 't1' })).toEqual(['b']);
  });
});

describe('over every course of votes', { timeout: 20_000 }, () => {
  const seen = fc.oneof(
    fc.integer({ min: 1, max: 4 }).map(primary),
    fc.integer({ min: 1, max: 4 }).map(rising),
    fc.constantFrom(replica, silent, vote('up', { role: 'primary' })),
  );
  const votes = fc.dictionary(fc.constantFrom(...ids), seen, { noNullPrototype: true });
  const rounds = fc.array(
    fc.record(
      {
        ballots: fc.array(fc.option(votes, { nil: undefined }), { minLength: 1, maxLength: 3 }),
        forgetToken: fc.constantFrom(undefined, undefined, 't1', 't2'),
        overrides: fc.dictionary(fc.constantFrom(...ids), fc.constantFrom('drain' as const, 'ready' as const)),
      },
      { requiredKeys: ['ballots'] },
    ),
    { maxLength: 12 },
  );

  it.each(['last-good', 'all', 'first'])('at most one primary serves, and none that says no (%s)', (whenAllDown) => {
    const services = ['any', 'quorum', 'all'].map((policy) => service({ whenAllDown, vote: { policy } }));
    fc.assert(
      fc.property(rounds, fc.constantFrom(...services), (course, config) => {
        const { round, slot } = play(config);
        for (const { ballots, ...more } of course) {
          const serving = round(ballots, more);
          expect(serving.length).toBeLessThanOrEqual(1);
          for (const id of serving) expect(isDecided(slot(id).health?.code ?? 'ok')).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});
