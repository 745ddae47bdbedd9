import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHistory, historyStepMs } from '../../../src/api/history.ts';
import type { TargetPulse } from '../../../src/api/pulse.ts';

/** A history on a clock that the test moves by whole steps. */
function startHistory() {
  let steps = 0;
  const history = createHistory({
    now: () => 1_000_000 + steps * historyStepMs,
    monotonic: () => steps * historyStepMs,
  });
  return {
    history,
    pass: (count: number) => {
      steps += count;
    },
    note: (...targets: TargetPulse[]) => history.note({ services: [{ name: 'web', targets }] }),
  };
}

describe('the history of the last quarter of an hour', () => {
  it('has the newest last, and nothing before it was noted', () => {
    const { history, pass, note } = startHistory();
    expect(history.of('web')).toEqual({ stepMs: historyStepMs, endAt: 0, targets: [] });
    note({ id: 'a', health: 'up', totalMs: 1.26 });
    pass(1);
    note({ id: 'a', health: 'down' });
    const [target] = history.of('web').targets;
    expect(target?.health).toHaveLength(180);
    expect(target?.health.slice(-3)).toBe('-ud');
    expect(target?.totalMs.slice(-3)).toEqual([null, 1.3, null]);
    expect(history.of('web').endAt).toBe(1_000_000 + historyStepMs);
  });

  it('leaves out what nobody noted, as while the machine slept, and forgets who is gone', () => {
    const { history, pass, note } = startHistory();
    note({ id: 'a', health: 'up', totalMs: 1 }, { id: 'b', health: 'up' });
    pass(3);
    note({ id: 'a', health: 'up', totalMs: 2 });
    expect(history.of('web').targets[0]?.health.slice(-5)).toBe('-u--u');
    pass(10);
    note({ id: 'a', health: 'up' });
    expect(history.of('web').targets.map(({ id }) => id)).toEqual(['a']);
    pass(1000);
    note({ id: 'a' });
    expect(history.of('web').targets[0]?.health).toBe('-'.repeat(180));
  });

  it('always tells the last 180 steps, however long it runs', () => {
    const step = fc.record({ pass: fc.integer({ min: 1, max: 50 }), isUp: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (happenings) => {
        const { history, pass, note } = startHistory();
        let wanted = '';
        for (const one of happenings) {
          pass(one.pass);
          note({ id: 'a', health: one.isUp ? 'up' : 'down' });
          wanted += `${'-'.repeat(one.pass - 1)}${one.isUp ? 'u' : 'd'}`;
        }
        expect(history.of('web').targets[0]?.health).toBe(wanted.slice(-180).padStart(180, '-'));
      }),
    );
  });

  it('bridges what nobody told for a moment, as while a configuration is read anew', () => {
    const { history, note, pass } = startHistory();
    note({ id: 'a', health: 'up' });
    pass(1);
    note();
    history.note({ services: [] });
    pass(1);
    note({ id: 'a', health: 'down' });
    expect(history.of('web').targets.map(({ health }) => health.slice(-3))).toEqual(['u-d']);
  });

  it('makes room for others once a service has left the configuration', () => {
    const { history, note, pass } = startHistory();
    note(...Array.from({ length: 5000 }, (_, n) => ({ id: `t${n}`, health: 'up' as const })));
    pass(13);
    history.note({ services: [{ name: 'db', targets: [{ id: 'a', health: 'up' }] }] });
    expect([history.of('web').targets, history.of('db').targets.length]).toEqual([[], 1]);
  });

  it('keeps no more than 5000 targets, so that a source without end does not fill the memory', () => {
    const { history, note, pass } = startHistory();
    const many = Array.from({ length: 5010 }, (_, n) => ({ id: `t${n}`, health: 'up' as const }));
    note(...many);
    expect(history.of('web').targets).toHaveLength(5000);
    pass(13);
    note({ id: 'new', health: 'up' });
    expect(history.of('web').targets.map(({ id }) => id)).toEqual(['new']);
  });
});
