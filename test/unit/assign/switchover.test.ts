import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settleSwitchover } from '../../../src/assign/switchover.ts';
import { startAt } from '../../fixtures/lists.ts';
import { createStory, servingRules } from '../../fixtures/serving.ts';

const rules = servingRules({ selection: { kind: 'active-passive', failback: true, failbackSeconds: 60 } });
const wishFor = (targetId: string, token = 'w1') => ({ token, targetId, by: 'ann', at: startAt });
const purge = (token: string) => ({ token, by: 'bob', at: startAt });
const minute = 60_000;

describe('a switchover', () => {
  it('makes the wanted target the active one at once, and keeps it although another ranks higher', () => {
    const story = createStory(rules);
    story.round('t1+ t2+ t3+');
    const wish = wishFor('t3');
    expect(story.round('t1+ t2+ t3+', 1000, { wish })).toBe('t1:standby t2:standby t3 ACTIVE t3');
    expect(story.round('t1+ t2+ t3+', 100 * minute, { wish })).toBe('t1:standby t2:standby t3 ACTIVE t3');
    expect(story.served().switchover).toEqual({ ...wish, targetName: 't3' });
    expect(story.served().activeSinceAt).toBe(startAt + 1000);
  });

  it('goes back to the highest rank once it is purged, and says who purged it', () => {
    const story = createStory(rules);
    story.round('t1+ t2+');
    story.round('t1+ t2+', 1000, { wish: wishFor('t2') });
    expect(story.round('t1+ t2+', 10 * minute, { wish: purge('w2') })).toBe('t1 t2:standby ACTIVE t1');
    expect(story.served().switchover).toMatchObject({ token: 'w2', targetId: 't2', ended: 'purged', endedBy: 'bob' });
  });

  it('is dropped when its target goes down, and does not come back with it', () => {
    const story = createStory(rules);
    const wish = wishFor('t2');
    story.round('t1+ t2+', 1000, { wish });
    expect(story.round('t1+ t2-', 1000, { wish })).toBe('t1 t2:down ACTIVE t1');
    expect(story.served().switchover?.ended).toBe('down');
    expect(story.round('t1+ t2+', 10 * minute, { wish })).toBe('t1 t2:standby ACTIVE t1');
    expect(story.round('t1+ t2+', 1000, { wish: wishFor('t2', 'w2') })).toBe('t1:standby t2 ACTIVE t2');
  });

  it('stands while its target is not decided on', () => {
    const story = createStory(rules);
    const wish = wishFor('t2');
    story.round('t1+ t2+', 1000, { wish });
    expect(story.round('t1+ t2?', 1000, { wish })).toBe('t1:standby t2 ACTIVE t2');
    expect(story.served().switchover).not.toHaveProperty('ended');
  });

  it('is dropped when an operator takes its target out, and when it is gone', () => {
    const held = createStory(rules);
    const wish = wishFor('t2');
    held.round('t1+ t2+', 1000, { wish });
    expect(held.round('t1+ t2+', 1000, { wish, overrides: new Map([['t2', 'maint']]) })).toContain('ACTIVE t1');
    expect(held.served().switchover?.ended).toBe('held');
    const gone = createStory(rules);
    gone.round('t1+ t2+', 1000, { wish: wishFor('t9') });
    expect(gone.served().switchover).toMatchObject({ targetName: 't9', ended: 'gone' });
  });

  it('means nothing where several targets serve', () => {
    const story = createStory(servingRules());
    expect(story.round('t1+ t2+', 1000, { wish: wishFor('t2') })).toBe('t1 t2');
    expect(story.served()).not.toHaveProperty('switchover');
  });

  it('that ended never counts again by its own token, whatever happens to the targets', () => {
    const wishes = fc.array(
      fc.record({
        token: fc.constantFrom('w1', 'w2', 'w3'),
        targetId: fc.constantFrom('t1', 't2', undefined),
        isDown: fc.boolean(),
        isHeld: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(wishes, (rounds) => {
        let before: ReturnType<typeof settleSwitchover>;
        for (const { token, targetId, isDown, isHeld } of rounds) {
          const wish = { token, by: 'ann', at: 1, ...(targetId === undefined ? {} : { targetId }) };
          const next = settleSwitchover(before, wish, [{ id: 't1', name: 'one', isDown, isHeld }]);
          if (before?.ended !== undefined && next?.token === before.token) expect(next.ended).toBe(before.ended);
          if (next !== undefined && next.ended === undefined)
            expect([next.targetId, isDown, isHeld]).toEqual(['t1', false, false]);
          before = next;
        }
      }),
    );
  });
});
