import { describe, expect, it } from 'vitest';
import type { ServingRules } from '../../../src/assign/serving.ts';
import type { Override } from '../../../src/model/slot.ts';
import { startAt, target } from '../../fixtures/lists.ts';
import { createStory, servingRules } from '../../fixtures/serving.ts';

const activePassive = { kind: 'active-passive', failback: true, failbackSeconds: 60 } as const;
const storyOf = (fields: Partial<ServingRules> = {}) => createStory(servingRules(fields));

describe('who serves', () => {
  it('is whoever is up; who is down gets nothing new and keeps its slot', () => {
    const story = storyOf();
    expect(story.round('t1+ t2+ t3-')).toBe('t1 t2 t3:new');
    expect(story.round('t1+ t2- t3-')).toBe('t1 t2:down t3:new');
    expect(story.round('t1+ t2+ t3+')).toBe('t1 t2 t3');
    expect(story.slot('t2').health).toEqual({ verdict: 'up', code: 'ok', sinceAt: story.now() });
    expect(story.slot('t1').health?.sinceAt).toBe(startAt);
  });

  it('is no newcomer before it was seen up, and its ramp begins only then', () => {
    const story = storyOf();
    story.round('t1+ t2+');
    expect(story.round('t1+ t2+ t3?', 90_000)).toBe('t1 t2 t3:new');
    expect(story.round('t1+ t2+ t3-', 90_000)).toBe('t1 t2 t3:new');
    expect(story.round('t1+ t2+ t3+', 90_000)).toBe('t1 t2 t3');
    expect(story.slot('t3')).toMatchObject({ joinedAt: story.now(), weight: 1 });
    story.round('t1+ t2+ t3+', 60_000);
    expect(story.slot('t3').weight).toBe(3);
  });

  it('leaves weight and ramp alone over an outage, or begins anew where the rules say so', () => {
    const outage = (rampAfterDown: boolean) => {
      const story = storyOf({ rampAfterDown });
      for (const signs of ['t1+ t2+', 't1- t2+', 't1+ t2+']) story.round(signs, 30_000);
      const { weight, joinedAt, out } = story.slot('t1');
      return [weight, joinedAt === story.now(), out];
    };
    expect(outage(false)).toEqual([10, false, undefined]);
    expect(outage(true)).toEqual([1, true, undefined]);
  });

  it('takes nobody out whom nobody can judge: a check that is new, votes that are missing', () => {
    const story = storyOf();
    expect(story.round('t1 t2', 0, { hasCheck: false })).toBe('t1 t2');
    expect(story.slot('t1')).not.toHaveProperty('health');
    expect(story.round('t1? t2?')).toBe('t1 t2');
    expect(story.round('t1+ t2-')).toBe('t1 t2:down');
    expect(story.round('t1 t2')).toBe('t1 t2:down');
    expect(story.round('t1? t2?')).toBe('t1 t2:down');
    expect(story.slot('t2').health).toMatchObject({ verdict: 'down', code: 'refused', isInDoubt: true });
    expect(story.round('t1 t2', 0, { hasCheck: false })).toBe('t1 t2');
    expect(story.slot('t2')).not.toHaveProperty('health');
  });

  it('leaves every slot the same object when nothing changes', () => {
    for (const selection of [{ kind: 'all' }, activePassive] as const) {
      const story = storyOf({ selection });
      for (const signs of ['t1+ t2- t3?', 't1- t2- t3-']) {
        story.round(signs);
        const before = story.slots();
        story.round(signs, 0);
        expect(story.slots().every((slot, n) => slot === before[n])).toBe(true);
      }
    }
  });

  it('does not touch slots that are free or drain', () => {
    const story = storyOf();
    story.round('t1+ t2+');
    expect(story.round('t1+', 1000)).toBe('t1 (t2)');
    expect(story.round('t1-', 1000)).toBe('t1 (t2) PANIC last-good');
  });

  it('keeps the verdict beside what an operator wants', () => {
    const story = storyOf({ selection: activePassive });
    const held = (state: Override) => ({ overrides: new Map([['t1', state]]) });
    expect(story.round('t1+ t2+')).toBe('t1 t2:standby ACTIVE t1');
    expect(story.round('t1+ t2+', 1000, held('maint'))).toBe('t1:standby t2 ACTIVE t2');
    expect(story.slot('t1')).toMatchObject({ override: 'maint', health: { verdict: 'up' } });
    expect(story.round('t1- t2+', 1000, held('ready'))).toBe('t1:down t2 ACTIVE t2');
  });
});

describe('an active-passive service', () => {
  it('points at one, moves when that is down and returns in time', () => {
    const story = storyOf({ selection: activePassive });
    const lines = ['t1+ t2+ t3+', 't1- t2+ t3+', 't1+ t2+ t3+'].map((signs) => story.round(signs, 10_000));
    expect(lines).toEqual([
      't1 t2:standby t3:standby ACTIVE t1',
      't1:down t2 t3:standby ACTIVE t2',
      't1:standby t2 t3:standby ACTIVE t2',
    ]);
    expect(story.round('t1+ t2+ t3+', 59_999)).toBe('t1:standby t2 t3:standby ACTIVE t2');
    expect(story.round('t1+ t2+ t3+', 1)).toBe('t1 t2:standby t3:standby ACTIVE t1');
  });

  it('works without a check, by priority', () => {
    const story = storyOf({ selection: activePassive });
    const some = [target('t1'), target('t2', { priority: 3 })];
    expect(story.round(some, 0, { hasCheck: false })).toBe('t1:standby t2 ACTIVE t2');
    expect(story.round('t1', 0, { hasCheck: false })).toBe('t1 (t2) ACTIVE t1');
  });

  it('lets a standby finish its ramp while it waits', () => {
    const story = storyOf({ selection: activePassive });
    story.round('t1+');
    story.round('t1+ t2+', 1000);
    story.round('t1+ t2+', 3_600_000);
    expect(story.slot('t2')).toMatchObject({ out: 'standby', weight: 10 });
  });
});

describe('a service by priority', () => {
  it('serves from the highest among those that are up', () => {
    const story = storyOf({ selection: { kind: 'priority' } });
    const some = [target('t1', { priority: 9 }), target('t2', { priority: 9 }), target('t3')];
    expect(story.round(some, 0, { signs: '+++' })).toBe('t1 t2 t3:standby');
    expect(story.round(some, 0, { signs: '-++' })).toBe('t1:down t2 t3:standby');
    expect(story.round(some, 0, { signs: '--+' })).toBe('t1:down t2:down t3');
  });
});
