import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Health, nextHealth } from '../../../src/judge/health.ts';
import { passed } from '../../../src/model/probe.ts';
import { healthRules, observe, probeOf } from '../../fixtures/checks.ts';

const rules = healthRules();
const statesOf = (signs: string, fields = {}) => observe(signs, healthRules(fields)).states;

describe('the opinion of one observer', () => {
  it.each([
    ['is up after the first pass and down after the first row of failures', '+--', 'uud'],
    ['is not known until failures make a row', '--', '.d'],
    ['is up by one pass also after a failure, as long as nothing is known', '-+', '.u'],
    ['ignores single failures', '+-+-+-+', 'uuuuuuu'],
    ['comes back by a row of passes', '+--+-++', 'uuddddu'],
    ['is moved by nothing that could not be asked', '?+?-?-?+?+', '.uuuuddddu'],
    ['keeps a row over what could not be asked', '+-???-', 'uuuuud'],
  ])('%s', (_, signs, states) => {
    expect(statesOf(signs)).toBe(states);
  });

  it.each([
    [{ rise: 1, fall: 1 }, '+-+', 'udu'],
    [{ rise: 3, fall: 1 }, '+-++-+++', 'udddd' + 'ddu'],
    [{ rise: 1, fall: 4 }, '+---+----+', 'uuuuuuuudu'],
  ])('counts by the rules %j', (fields, signs, states) => {
    expect(statesOf(signs, fields)).toBe(states);
  });

  it('follows at once a target that says it is not the one wanted, and takes it back by rise', () => {
    expect(statesOf('+!++')).toBe('uddu');
    expect(statesOf('!+-++', { fall: 5 })).toBe('ddddu');
  });

  it('tells why: the failure that counts, not the one that does not', () => {
    const at = (signs: string) => observe(signs, rules).health;
    expect(at('-')).toMatchObject({ state: undefined, code: 'timeout', message: 'it fails with timeout' });
    expect(at('+-')).toMatchObject({ state: 'up', code: 'ok', message: 'it answers', fails: 1 });
    expect(at('+--+')).toMatchObject({ state: 'down', code: 'timeout', passes: 1 });
    expect(at('+--!')).toMatchObject({ state: 'down', code: 'not-primary', message: 'it fails with not-primary' });
    expect(at('?')).toMatchObject({ state: undefined, code: 'error' });
    expect(at('+?')).toMatchObject({ state: 'up', code: 'ok' });
  });

  it('remembers when the state began', () => {
    expect(observe('+++', rules, { startMs: 500 }).health?.sinceAt).toBe(500);
    expect(observe('+--+', rules).health?.sinceAt).toBe(2000);
    expect(observe('+--++', rules).health?.sinceAt).toBe(4000);
  });

  it('takes role and timeline from every probe that tells them', () => {
    const primary = passed('primary', { role: 'primary', timeline: 4 });
    const up = nextHealth(undefined, primary, 0, rules);
    expect(up).toMatchObject({ role: 'primary', timeline: 4 });
    expect(nextHealth(up, probeOf('-'), 1, rules)).toMatchObject({ state: 'up', role: 'primary', timeline: 4 });
    const replica = passed('replica', { role: 'replica', timeline: 5 });
    expect(nextHealth(up, replica, 1, rules)).toMatchObject({ state: 'up', role: 'replica', timeline: 5 });
    const dead = nextHealth(nextHealth(up, probeOf('-'), 1, rules), probeOf('-'), 2, rules);
    expect(dead.state).toBe('down');
    for (const fact of ['role', 'timeline']) expect(dead).not.toHaveProperty(fact);
    const demoted = nextHealth(up, { ...probeOf('!'), role: 'replica' }, 1, rules);
    expect(demoted).toMatchObject({ state: 'down', role: 'replica', timeline: 4 });
    expect(nextHealth(up, probeOf('+'), 1, rules)).not.toHaveProperty('role');
  });

  it('smooths the times of passes, and begins anew when the target comes back', () => {
    const timed = (before: Health | undefined, totalMs: number) =>
      nextHealth(before, passed('fine', { totalMs, connectMs: totalMs / 2 }), 0, rules);
    const steady = timed(timed(undefined, 100), 100);
    expect(timed(steady, 200)).toMatchObject({ totalMs: 125, connectMs: 62.5 });
    expect(nextHealth(steady, probeOf('+'), 0, rules)).toMatchObject({ totalMs: 100 });
    const down = observe('--', rules, { from: steady }).health;
    expect(timed(timed(down, 10), 20)).toMatchObject({ state: 'up', totalMs: 12.5 });
  });
});

describe('hold-down', () => {
  it('is not asked of a target that went down once, and doubles from the second time on', () => {
    const holds: number[] = [];
    let health = observe('+', rules).health;
    let nowMs = 0;
    for (let fall = 0; fall < 7; fall += 1) {
      health = observe('--', rules, { from: health, startMs: nowMs }).health;
      const downAt = nowMs + 2000;
      for (nowMs = downAt; health?.state !== 'up'; nowMs += 1000) {
        health = nextHealth(health, probeOf('+'), nowMs, rules);
      }
      holds.push(nowMs - 1000 - downAt);
    }
    expect(holds).toEqual([1000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  it('starts again with every failure', () => {
    const shaky = `+--++--${(`${'+'.repeat(29)}-`).repeat(5)}${'+'.repeat(31)}`;
    expect(statesOf(shaky).slice(7)).toBe(`${'d'.repeat(180)}u`);
  });

  it('is forgotten after ten minutes up', () => {
    const calm = (seconds: number) => `+--++--${'+'.repeat(31 + seconds)}--++`;
    expect(statesOf(calm(590)).at(-1)).toBe('d');
    expect(statesOf(calm(600)).at(-1)).toBe('u');
  });

  it('is forgotten only after ten times its length where that is longer', () => {
    const holdAfter = (upSeconds: number) => {
      const falls = `+--++--${'+'.repeat(31)}--${'+'.repeat(61)}--${'+'.repeat(121)}`;
      return observe(`${falls}${'+'.repeat(upSeconds)}--`, rules).health?.holdMs;
    };
    expect(holdAfter(1190)).toBe(240_000);
    expect(holdAfter(1200)).toBe(0);
  });

  it('can be switched off', () => {
    expect(statesOf('+--++--++--++', { holdDown: { ms: 0, maxMs: 300_000 } })).toBe('uuddu' + 'uddu' + 'uddu');
  });

  it('never delays one that was down because another one was wanted', () => {
    expect(statesOf('+!++!++!++')).toBe('uddu' + 'ddu' + 'ddu');
    expect(statesOf('+--++--!++')).toBe('uudduudd' + 'du');
  });

  // A minute has 60 checks here, or 6 with the default interval.
  it.each([
    [{}, 0],
    [{ fall: 1 }, 1],
    [{ rise: 1 }, 0],
    [{ rise: 1, fall: 1 }, 3],
  ])('a target that fails every second check for ten minutes changes with %j %i times', (fields, changes) => {
    for (const everyMs of [1000, 10_000]) {
      const signs = '+-'.repeat(600_000 / everyMs / 2);
      expect(observe(signs, healthRules(fields), { everyMs }).changes).toBe(changes);
    }
  });

  it('bounds what the worst rhythm does: as soon as it may come up, it falls again', () => {
    let health = observe('+', rules).health;
    let changes = 0;
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 1000) {
      const before = health?.state;
      health = nextHealth(health, probeOf(before === 'up' ? '-' : '+'), nowMs, rules);
      if (health.state !== before) changes += 1;
    }
    // Five holds add up to 750 s, then one every 302 s.
    expect(changes).toBeLessThanOrEqual(2 * (6 + Math.ceil((3600 - 750) / 302)));
  });
});

describe('any course of probes', () => {
  const course = fc.array(fc.constantFrom('+', '+', '+', '-', '-', '?', '!'), { maxLength: 80 });
  const someRules = fc.record({
    rise: fc.integer({ min: 1, max: 4 }),
    fall: fc.integer({ min: 1, max: 4 }),
    holdDown: fc.record({ ms: fc.constantFrom(0, 3000), maxMs: fc.constantFrom(3000, 10_000) }),
  });

  it('never brings a target up without the row of passes, nor takes it down without the row of failures', () => {
    fc.assert(
      fc.property(course, someRules, (signs, limits) => {
        const { states } = observe(signs, limits);
        for (let end = 1; end < signs.length; end += 1) {
          const heard = signs.slice(0, end + 1).filter((sign) => sign !== '?');
          const row = (length: number, fits: (sign: string) => boolean) =>
            heard.length >= length && heard.slice(-length).every(fits);
          if (states[end] === 'u' && states[end - 1] === 'd') expect(row(limits.rise, (s) => s === '+')).toBe(true);
          if (states[end] === 'd' && states[end - 1] !== 'd' && signs[end] !== '!') {
            expect(row(limits.fall, (s) => s !== '+')).toBe(true);
          }
          if (signs[end] === '!') expect(states[end]).toBe('d');
          if (signs[end] === '?') expect(states[end]).toBe(states[end - 1]);
        }
      }),
    );
  });

  it('has an opinion for good once it has one, and code ok exactly while up', () => {
    fc.assert(
      fc.property(course, someRules, (signs, limits) => {
        const { states, health } = observe(signs, limits);
        expect(states).toMatch(/^\.*[ud]*$/);
        if (health?.state !== undefined) expect(health.code === 'ok').toBe(health.state === 'up');
      }),
    );
  });
});
