import { describe, expect, it } from 'vitest';
import type { Slot } from '../../../src/model/slot.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { slotSchema, snapshotSchema } from '../../../src/model/snapshot-schema.ts';
import { snapshotOf, startAt, taken, target } from '../../fixtures/lists.ts';

const lodger = target('i-1', { port: 8080, zone: 'a', weight: 256, priority: 65_535 });
const slots: readonly Slot[] = [
  { state: 'free', index: 1 },
  { state: 'free', index: 2, last: { id: 'i-9', address: '2001:db8::1', port: 80, leftAt: startAt } },
  taken(3, lodger, { override: 'drain', weight: 0 }),
  { state: 'draining', index: 9_999_999, target: lodger, joinedAt: 0, weight: 256, drainUntil: startAt },
];

describe('a snapshot from outside', () => {
  it('is taken as it is when every part is one that hsdo writes', () => {
    const hold = { token: 'h', sinceAt: startAt, targets: ['i-5'] };
    for (const snapshot of [snapshotOf(slots, { hold, unplaced: ['i-6'] }), snapshotOf([], { revision: 0, epoch: 0 })])
      expect(snapshotSchema.parse(snapshot)).toEqual(snapshot);
  });

  it.each<[string, Partial<Record<keyof Snapshot, unknown>>]>([
    ['a revision below 0', { revision: -1 }],
    ['half an epoch', { epoch: 0.5 }],
    ['no time', { publishedAt: undefined }],
    ['a hold for nobody', { hold: { token: 'h', sinceAt: startAt } }],
  ])('is refused with %s', (_, change) => {
    expect(snapshotSchema.safeParse({ ...snapshotOf(slots), ...change }).success).toBe(false);
  });

  it('loses fields that only a newer hsdo knows, and nothing else', () => {
    const slot = taken(1, lodger);
    const newer = { ...slot, colour: 'red', target: { ...lodger, mood: 'fine' } };
    expect(slotSchema.parse(newer)).toEqual(slot);
    const snapshot = snapshotOf([slot]);
    expect(snapshotSchema.parse({ ...snapshot, slots: [newer], mood: 'fine' })).toEqual(snapshot);
  });

  it.each<[string, object]>([
    ['index 0', { index: 0 }],
    ['an index of eight digits', { index: 10_000_000 }],
    ['an unknown state', { state: 'lost' }],
    ['a weight above 256', { weight: 257 }],
    ['an unknown override', { override: 'off' }],
    ['a target without an id', { target: { ...lodger, id: '' } }],
    ['a target without a name', { target: { ...lodger, name: '' } }],
    ['a target whose full weight is 0', { target: { ...lodger, weight: 0 } }],
    ['a target whose priority is half a number', { target: { ...lodger, priority: 0.5 } }],
    ['a target whose port is 0', { target: { ...lodger, port: 0 } }],
    ['a command for an address', { target: { ...lodger, address: '10.0.0.1; quit' } }],
  ])('is refused with a slot with %s', (_, change) => {
    const slot = taken(1, lodger);
    expect(slotSchema.safeParse(slot).success).toBe(true);
    expect(slotSchema.safeParse({ ...slot, ...change }).success).toBe(false);
  });
});
