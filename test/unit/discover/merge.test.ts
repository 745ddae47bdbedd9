import { describe, expect, it } from 'vitest';
import { type Merged, merge, type Reading } from '../../../src/discover/merge.ts';
import { target } from '../../fixtures/lists.ts';

const reading = (reads: number, ...ids: string[]): Reading => ({
  targets: ids.map((id) => target(id)),
  refusals: [],
  reads,
  readAt: 0,
});
const idsOf = ({ targets }: Merged) => targets.map(({ id }) => id).join(' ');

describe('merge', () => {
  it('puts the sources together in their order, with what they refused', () => {
    const refusals = [{ name: 'x', reason: 'y' }];
    const merged = merge([{ ...reading(1, 'a2'), refusals }, reading(1, 'a1')], undefined);
    expect(merged).toMatchObject({ complete: true, reads: 1, refusals });
    expect(idsOf(merged)).toBe('a2 a1');
  });

  it('refuses what an earlier source reports too, by id or by endpoint', () => {
    const twin = { ...reading(1), targets: [target('a1', { group: 'other' }), target('b', { address: '10.0.0.2' })] };
    const merged = merge([reading(1, 'a1', 'a2'), twin], undefined);
    expect(idsOf(merged)).toBe('a1 a2');
    expect(merged.refusals).toEqual([
      { name: 'a1', reason: 'id "a1" belongs to "a1" of group "web" already' },
      { name: 'b', reason: 'address 10.0.0.2 belongs to "a2" already' },
    ]);
  });

  it('is not complete, and counts no read, while a source was never read', () => {
    const merged = merge([reading(7, 'a1'), undefined], undefined);
    expect(merged).toMatchObject({ complete: false, reads: 0 });
    expect(idsOf(merged)).toBe('a1');
  });

  it('counts a read only once every source was read anew, however quick one of them is', () => {
    let merged: Merged | undefined;
    const step = (first: number, second: number) => {
      merged = merge([reading(first), reading(second)], merged);
      return merged.reads;
    };
    expect(step(10, 1)).toBe(1);
    expect(step(10, 1)).toBe(1);
    expect(step(11, 1)).toBe(1);
    expect(step(90, 1)).toBe(1);
    expect(step(90, 2)).toBe(2);
    expect(step(90, 50)).toBe(2);
    expect(step(91, 50)).toBe(3);
  });
});
