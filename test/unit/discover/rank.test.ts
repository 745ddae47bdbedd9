import { describe, expect, it } from 'vitest';
import { rankByOrder } from '../../../src/discover/rank.ts';
import { target, targets } from '../../fixtures/lists.ts';

describe('a list that a person wrote down', () => {
  it('ranks its targets by their order, the first one highest', () => {
    expect(rankByOrder(targets('c', 'a', 'b')).map(({ id, priority }) => [id, priority])).toEqual([
      ['c', 3],
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('is left as it is where a priority stands in it', () => {
    const list = [target('a'), target('b', { priority: 5 })];
    expect(rankByOrder(list)).toBe(list);
  });
});
