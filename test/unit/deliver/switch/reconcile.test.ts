import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agrees, decide, type Pursuit, wishOf } from '../../../../src/deliver/switch/reconcile.ts';
import type { Slot } from '../../../../src/model/slot.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';

const rules = { reconcileMs: 5000, freshMs: 1000, delayMs: 20_000 };
const one = { name: 'ep-1', address: '192.0.2.1' };
const two = { name: 'ep-2', address: '192.0.2.2' };
const wish = (entry = two, isByHand = false) => ({ entry, isByHand });
const seen = (current: string | undefined, atMs: number) => ({ sight: { current, atMs } });

describe('what is done next about an entry point', () => {
  it('is a reading first, whatever is wanted', () => {
    expect(decide({}, wish(), rules, 0)).toEqual({ kind: 'read' });
    expect(decide({}, undefined, rules, 0)).toEqual({ kind: 'read' });
  });

  it('is nothing until the next reading while the outside agrees by name or address, or nothing is wanted', () => {
    for (const current of ['ep-2', '192.0.2.2']) {
      expect(decide(seen(current, 100), wish(), rules, 200)).toMatchObject({ kind: 'wait', untilMs: 5100 });
    }
    expect(decide(seen('192.0.2.9', 100), undefined, rules, 200)).toMatchObject({ kind: 'wait', untilMs: 5100 });
    expect(decide(seen('ep-2', 100), wish(), rules, 5100)).toEqual({ kind: 'read' });
  });

  it('is a switch when it differs, on a fresh sight alone', () => {
    for (const current of ['192.0.2.1', undefined, '192.0.2.2 (not proxied)', '192.0.2.1, 192.0.2.2']) {
      expect(decide(seen(current, 100), wish(), rules, 600)).toEqual({ kind: 'switch', to: two });
    }
    expect(decide(seen('192.0.2.1', 100), wish(), rules, 1200)).toEqual({ kind: 'read' });
  });

  it('is a switch to a target that has moved, where the outside tells its name alone; that waits for no delay', () => {
    const moved = { ...two, address: '192.0.2.22' };
    const switched = { switched: { entry: two, atMs: 0 } };
    expect(decide({ ...seen('ep-2', 100), ...switched }, wish(moved), rules, 200)).toEqual({
      kind: 'switch',
      to: moved,
    });
    expect(decide({ ...seen('ep-2', 100), ...switched }, wish(two), rules, 200)).toMatchObject({ kind: 'wait' });
    expect(decide({ ...seen('192.0.2.22', 100), ...switched }, wish(moved), rules, 200)).toMatchObject({
      kind: 'wait',
    });
  });

  it('waits after a failure', () => {
    expect(decide({ notBeforeMs: 900 }, wish(), rules, 899)).toEqual({ kind: 'wait', untilMs: 900, isHeldUp: false });
    expect(decide({ notBeforeMs: 900 }, wish(), rules, 900)).toEqual({ kind: 'read' });
  });

  it('waits the delay before it goes on to another target, but not for an operator, nor for a repair', () => {
    const onceSwitched = (atMs: number): Pursuit => ({ ...seen('ep-1', atMs), switched: { entry: one, atMs: 0 } });
    expect(decide(onceSwitched(3000), wish(), rules, 3100)).toEqual({ kind: 'wait', untilMs: 8000, isHeldUp: true });
    expect(decide(onceSwitched(19_000), wish(), rules, 19_100)).toMatchObject({ kind: 'wait', untilMs: 20_000 });
    expect(decide(onceSwitched(19_500), wish(), rules, 20_000)).toEqual({ kind: 'switch', to: two });
    expect(decide(onceSwitched(3000), wish(two, true), rules, 3100)).toEqual({ kind: 'switch', to: two });
    expect(decide({ ...onceSwitched(3000), ...seen('192.0.2.9', 3000) }, wish(one), rules, 3100)).toEqual({
      kind: 'switch',
      to: one,
    });
  });

  it('never switches on what is old, forbidden or agreed, and always waits for something that comes', () => {
    const instant = fc.integer({ min: 0, max: 60_000 });
    const entry = fc.constantFrom(one, two, { ...one, address: '192.0.2.11' });
    const pursuit = fc.record(
      {
        sight: fc.record({ current: fc.constantFrom(undefined, 'ep-1', '192.0.2.2', 'odd'), atMs: instant }),
        notBeforeMs: instant,
        switched: fc.record({ entry, atMs: instant }),
      },
      { requiredKeys: [] },
    );
    const wishes = fc.option(fc.record({ entry, isByHand: fc.boolean() }), { nil: undefined });
    fc.assert(
      fc.property(pursuit, wishes, instant, (known, wanted, now) => {
        const step = decide(known, wanted, rules, now);
        if (step.kind === 'wait') expect(step.untilMs).toBeGreaterThan(now);
        else expect(now).toBeGreaterThanOrEqual(known.notBeforeMs ?? 0);
        if (step.kind !== 'switch') return;
        expect(step.to).toEqual(wanted?.entry);
        expect(agrees(known, step.to)).toBe(false);
        expect(now - (known.sight?.atMs ?? -1e9)).toBeLessThanOrEqual(rules.freshMs);
      }),
    );
  });
});

describe('what a list wants outside', () => {
  const slot = (index: number, { name, address }: typeof one): Slot => ({
    state: 'taken',
    index,
    target: { id: `i-${index}`, name, address, port: 80, group: 'web' },
    joinedAt: 0,
    weight: 10,
  });
  const list = (fields: Partial<Snapshot>): Snapshot => ({
    service: 'web',
    slots: [slot(1, one), slot(2, two), { state: 'free', index: 3 }],
    unplaced: [],
    revision: 1,
    epoch: 1,
    publishedAt: 0,
    active: 'i-2',
    ...fields,
  });

  it('is its active target', () => {
    expect(wishOf(list({}))).toEqual({ entry: { ...two, port: 80 }, isByHand: false });
    expect(wishOf(list({ active: 'i-9' }))).toBeUndefined();
  });

  it('is by hand exactly while an operator wants that target', () => {
    const asked = { token: 't', targetId: 'i-2', targetName: 'ep-2', by: 'me', at: 0 };
    expect(wishOf(list({ switchover: asked }))?.isByHand).toBe(true);
    expect(wishOf(list({ switchover: { ...asked, ended: 'purged' } }))?.isByHand).toBe(false);
    expect(wishOf(list({ switchover: { ...asked, targetId: 'i-1' } }))?.isByHand).toBe(false);
  });

  it('is nothing in a panic that serves nobody or other addresses, and the active target in others', () => {
    expect(wishOf(list({ panic: { sinceAt: 0, serves: 'none' } }))).toBeUndefined();
    expect(wishOf(list({ panic: { sinceAt: 0, serves: 'fallback', fallback: ['192.0.2.7'] } }))).toBeUndefined();
    expect(wishOf(list({ panic: { sinceAt: 0, serves: 'last-good' } }))?.entry.name).toBe('ep-2');
  });
});
