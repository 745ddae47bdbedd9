import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onePrimary, type PrimaryChoice, type RoleCandidate } from '../../../src/judge/role.ts';
import type { PrimaryHistory } from '../../../src/model/snapshot.ts';

const primary = (id: string, timeline?: number, more: Partial<RoleCandidate> = {}): RoleCandidate => ({
  id,
  isUp: true,
  role: 'primary',
  timeline,
  isCurrent: false,
  ...more,
});
const current = { isCurrent: true };
const away = { isUp: false };

describe('one primary', () => {
  it('is kept when it is the only one, and remembered', () => {
    const choice = onePrimary([primary('a', 1)], {});
    expect(choice).toEqual({ kept: 'a', losers: new Map(), history: { highestTimeline: 1, lastId: 'a' } });
  });

  it('is kept without any timeline, too', () => {
    expect(onePrimary([primary('a')], {})).toMatchObject({ kept: 'a', history: { lastId: 'a' } });
  });

  it('is nobody where there are only replicas and targets without a role', () => {
    const others = [primary('a', 9, { role: 'replica' }), { id: 'b', isUp: true, isCurrent: true }];
    expect(onePrimary(others, { highestTimeline: 3, lastId: 'c' })).toEqual({
      losers: new Map(),
      history: { highestTimeline: 3, lastId: 'c' },
    });
  });
});

describe('of two primaries', () => {
  it('the one with the newer timeline is kept, though the other one is published', () => {
    const choice = onePrimary([primary('a', 1, current), primary('b', 2)], { highestTimeline: 1, lastId: 'a' });
    expect(choice.kept).toBe('b');
    expect(choice.losers.get('a')).toBe(
      'A primary that has timeline 1, while timeline 2 is known (of "b"); expected the newest one',
    );
  });

  it('one that shows no timeline counts as the older', () => {
    expect(onePrimary([primary('a', undefined, current), primary('b', 1)], {}).kept).toBe('b');
  });

  it('the one kept last is believed to have its timeline still when it does not show it', () => {
    const history = { highestTimeline: 4, lastId: 'a' };
    expect(onePrimary([primary('a', undefined, current), primary('b', 4)], history).kept).toBe('a');
    expect(onePrimary([primary('a', undefined, current), primary('b', 5)], history).kept).toBe('b');
  });

  it('one that was kept last, and is not any more, is not believed to have its timeline, and is out while it is down', () => {
    const all = [primary('c', undefined, away), primary('a', 4, current)];
    const choice = onePrimary(all, { highestTimeline: 4, lastId: 'c' });
    expect([choice.kept, [...choice.losers.keys()]]).toEqual(['a', ['c']]);
    expect(onePrimary(all, choice.history)).toEqual(choice);
  });

  it('the published one stays when they are equal', () => {
    const choice = onePrimary([primary('a', 3), primary('b', 3, current)], {});
    expect(choice.kept).toBe('b');
    expect(choice.losers.get('a')).toBe('A second primary with the same timeline 3; "b" was there first');
    expect(onePrimary([primary('a'), primary('b', undefined, current)], {}).kept).toBe('b');
  });

  it('the one kept last comes back before its equal', () => {
    expect(onePrimary([primary('a', 3), primary('b', 3)], { highestTimeline: 3, lastId: 'b' }).kept).toBe('b');
  });

  it('none is kept when they are equal and nothing is known of the past', () => {
    const choice = onePrimary([primary('a', 3), primary('b', 3)], {});
    expect(choice.kept).toBeUndefined();
    expect([...choice.losers.keys()]).toEqual(['a', 'b']);
    expect(choice.losers.get('a')).toContain('nothing tells which is the right one');
    expect(choice.history).toEqual({ highestTimeline: 3 });
  });

  it('one is kept when both are published already', () => {
    expect(onePrimary([primary('b', 3, current), primary('a', 3, current)], {}).kept).toBe('a');
  });

  it('the older leaves as soon as the newer shows itself, even before that one is up', () => {
    const candidates = [primary('a', 1, current), primary('b', 2, away)];
    const choice = onePrimary(candidates, { highestTimeline: 1, lastId: 'a' });
    expect(choice.kept).toBeUndefined();
    expect(choice.losers.get('a')).toContain('timeline 2 is known');
    // Nor is it back when the newer one falls silent before it was up.
    expect(choice.history).toEqual({ highestTimeline: 2 });
    const silent = { ...away, role: undefined };
    expect(onePrimary([primary('a', 1), primary('b', undefined, silent)], choice.history).kept).toBeUndefined();
  });

  it('the older one has lost also while it is down, so that no panic brings it back', () => {
    const history = { highestTimeline: 1, lastId: 'a' };
    expect([...onePrimary([primary('a', 1, away), primary('b', 2)], history).losers.keys()]).toEqual(['a']);
    const silent = primary('a', undefined, { ...away, role: undefined, isCurrent: true });
    expect([...onePrimary([silent, primary('b', 2, away)], history).losers.keys()]).toEqual(['a']);
  });

  it('one that an earlier verdict calls up is still one, though nobody tells its role', () => {
    const history = { highestTimeline: 1, lastId: 'a' };
    const untold = primary('a', undefined, { role: undefined, isCurrent: true });
    const newer = onePrimary([untold, primary('b', 2)], history);
    expect([newer.kept, [...newer.losers.keys()]]).toEqual(['b', ['a']]);
    const equal = onePrimary([untold, primary('b', 1)], history);
    expect([equal.kept, [...equal.losers.keys()]]).toEqual(['a', ['b']]);
  });
});

describe('the memory of primaries', () => {
  const history: PrimaryHistory = { highestTimeline: 2, lastId: 'b' };

  it('keeps an old primary out while the new one is down', () => {
    const choice = onePrimary([primary('a', 1), primary('b', undefined, { ...away, role: undefined })], history);
    expect(choice.kept).toBeUndefined();
    expect(choice.history).toEqual(history);
    expect(choice.losers.get('a')).toContain('has timeline 1, while timeline 2 is known;');
  });

  it('keeps an old primary out when the new one has left the sources', () => {
    expect(onePrimary([primary('a', 1)], history).kept).toBeUndefined();
    expect(onePrimary([primary('a')], history).kept).toBeUndefined();
  });

  it('lets an equal in only when the last one is gone or follows another one', () => {
    const last = (more: Partial<RoleCandidate>) => primary('b', 2, { isUp: false, ...more });
    expect(onePrimary([primary('c', 2), last({})], history).kept).toBeUndefined();
    expect(onePrimary([primary('c', 2), last({ role: undefined, timeline: undefined })], history).kept).toBeUndefined();
    expect(onePrimary([primary('c', 2), last({ role: 'replica' })], history).kept).toBe('c');
    expect(onePrimary([primary('c', 2)], history).kept).toBe('c');
  });

  it('lets a successor without timelines in, since nothing could tell it from a rival', () => {
    expect(onePrimary([primary('a'), primary('b', undefined, away)], { lastId: 'b' }).kept).toBe('a');
  });
});

const candidates = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    isUp: fc.boolean(),
    role: fc.constantFrom('primary' as const, 'primary' as const, 'replica' as const, undefined),
    timeline: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    isCurrent: fc.boolean(),
  }),
  { selector: ({ id }) => id },
);
const histories = fc.record(
  { highestTimeline: fc.integer({ min: 1, max: 4 }), lastId: fc.constantFrom('a', 'b', 'c', 'x') },
  { requiredKeys: [] },
);
const publish = (all: readonly RoleCandidate[], kept: string | undefined) =>
  all.map((candidate) => ({ ...candidate, isCurrent: candidate.id === kept }));

describe('for every group and every past', () => {
  it('each primary that is up is either the one kept or has lost, with a reason', () => {
    fc.assert(
      fc.property(candidates, histories, (all, history) => {
        const { kept, losers } = onePrimary(all, history);
        const isPrimary = ({ id, role }: RoleCandidate) => role === 'primary' || (!role && id === history.lastId);
        const [up, down] = [true, false].map((is) => all.filter((one) => isPrimary(one) && one.isUp === is));
        const lost = all.filter(({ id }) => losers.has(id));
        expect([...lost.map(({ id }) => id), ...(kept === undefined ? [] : [kept])]).toEqual(
          expect.arrayContaining((up ?? []).map(({ id }) => id)),
        );
        expect(losers.has(kept ?? '')).toBe(false);
        expect([...(up ?? []), ...(down ?? [])]).toEqual(expect.arrayContaining(lost));
        for (const why of losers.values()) expect(why).toMatch(/^\S.{20,250}$/);
      }),
    );
  });

  it('the order of the candidates does not matter', () => {
    fc.assert(
      fc.property(candidates, histories, fc.infiniteStream(fc.nat()), (all, history, noise) => {
        const shuffled = all.map((one) => ({ one, at: Number(noise.next().value) })).sort((x, y) => x.at - y.at);
        const again = onePrimary(
          shuffled.map(({ one }) => one),
          history,
        );
        expect(again).toEqual(onePrimary(all, history));
      }),
    );
  });

  it('a second call with the result of the first changes nothing', () => {
    fc.assert(
      fc.property(candidates, histories, (all, history) => {
        const first = onePrimary(all, history);
        // Whoever lost is down from then on, which is all that keeps one out that tells no role.
        const next = publish(all, first.kept).map((one) => (first.losers.has(one.id) ? { ...one, isUp: false } : one));
        const second = onePrimary(next, first.history);
        expect([second.kept, second.history]).toEqual([first.kept, first.history]);
        const again = onePrimary(publish(all, first.kept), first.history);
        const told = all.filter(({ role }) => role !== undefined).map(({ id }) => id);
        const lost = ({ losers }: PrimaryChoice) => told.filter((id) => losers.has(id));
        expect(lost(again)).toEqual(lost(first));
      }),
    );
  });

  it('no primary is kept that shows a lower timeline than one published before', () => {
    fc.assert(
      fc.property(fc.array(candidates, { maxLength: 8 }), (rounds) => {
        let history: PrimaryHistory = {};
        let kept: string | undefined;
        let published = 0;
        for (const round of rounds) {
          const choice = onePrimary(publish(round, kept), history);
          const timeline = round.find(({ id }) => id === choice.kept)?.timeline ?? published;
          expect(timeline).toBeGreaterThanOrEqual(published);
          ({ kept, history } = choice);
          published = timeline;
        }
      }),
    );
  });
});
