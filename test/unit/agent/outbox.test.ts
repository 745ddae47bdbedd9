import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOutbox, type Unsent } from '../../../src/agent/outbox.ts';

function unsentOf(check: string, checkedAt: number): Unsent {
  const target = { domain: 'web', target_ip: '10.0.0.1', port: 80 };
  const found = { type: 'tcp', status: 'ok', timestamp: '2026-01-01T00:00:00Z' } as const;
  return { report: { agent_id: 'a', check_name: check, ...target, ...found }, checkedAt };
}

const shown = (some: readonly Unsent[]) => some.map(({ report, checkedAt }) => `${report.check_name}${checkedAt}`);

describe('the reports that a server has not taken', () => {
  it('wait in the order in which they came, until they are taken away', () => {
    const outbox = createOutbox(10);
    for (const [n, check] of ['a', 'b', 'a'].entries()) outbox.add(unsentOf(check, n));
    expect(shown(outbox.first(2))).toEqual(['a0', 'b1']);
    outbox.remove(outbox.first(2));
    expect(shown(outbox.first(9))).toEqual(['a2']);
  });

  it('make room for their own check first, so that one that is asked often pushes no other out', () => {
    const outbox = createOutbox(4);
    for (const [n, check] of ['rare', 'often', 'often', 'often', 'often', 'often'].entries())
      outbox.add(unsentOf(check, n));
    expect(shown(outbox.first(9))).toEqual(['rare0', 'often3', 'often4', 'often5']);
  });

  it('make room for a check that is new where another one has older reports', () => {
    const outbox = createOutbox(3);
    for (const [n, check] of ['a', 'b', 'a', 'c'].entries()) outbox.add(unsentOf(check, n));
    expect(shown(outbox.first(9))).toEqual(['b1', 'a2', 'c3']);
  });

  it('can be brought down to the newest of each check, and to those that are not too old', () => {
    const outbox = createOutbox(10);
    for (const [n, check] of ['a', 'b', 'a', 'b', 'c'].entries()) outbox.add(unsentOf(check, n));
    expect(outbox.keepNewest()).toBe(2);
    expect(outbox.keepNewest()).toBe(0);
    expect(shown(outbox.first(9))).toEqual(['a2', 'b3', 'c4']);
    expect(outbox.forgetBefore(4)).toBe(2);
    expect(shown(outbox.first(9))).toEqual(['c4']);
  });

  it('are never more than the room allows but for the newest of each check, which is always there', () => {
    const actions = fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 3 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), actions, (room, steps) => {
        const outbox = createOutbox(room);
        const newest = new Map<string, Unsent>();
        let [added, gone] = [0, 0];
        steps.forEach(([check, take], n) => {
          const unsent = unsentOf(String(check), n);
          newest.set(String(check), unsent);
          gone += outbox.add(unsent);
          added += 1;
          const taken = take === 0 ? outbox.first(2) : [];
          outbox.remove(taken);
          gone += taken.length;
          for (const one of taken) if (newest.get(one.report.check_name) === one) newest.delete(one.report.check_name);
          const kept = outbox.first(Number.POSITIVE_INFINITY);
          expect(outbox.size()).toBe(kept.length);
          expect(added - gone).toBe(kept.length);
          expect(kept.length).toBeLessThanOrEqual(Math.max(room, newest.size));
          for (const one of newest.values()) expect(kept).toContain(one);
          expect(kept.map(({ checkedAt }) => checkedAt)).toEqual(
            kept.map(({ checkedAt }) => checkedAt).sort((a, b) => a - b),
          );
        });
      }),
    );
  });
});
