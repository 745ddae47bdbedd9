import { expect, it } from 'vitest';
import { createSights } from '../../../src/store/consul-sights.ts';

it('a lagging answer is taken only where nothing newer was seen', () => {
  const sights = createSights();
  expect(sights.mayBeBehind('k', 5)).toBe(false);
  // A key that is not there may have been written a moment ago.
  expect(sights.mayBeBehind('k', undefined)).toBe(true);
  sights.note('k', 7);
  sights.note('k', 6);
  expect([5, 6, 7, 8].map((index) => sights.mayBeBehind('k', index))).toEqual([true, true, false, false]);
  expect(sights.mayBeBehind('k', undefined)).toBe(true);
  sights.note('k', undefined);
  expect(sights.mayBeBehind('k', undefined)).toBe(false);
  expect([7, 8].map((index) => sights.mayBeBehind('k', index))).toEqual([true, false]);
});

it('a process that writes ever new keys does not remember them all', () => {
  const sights = createSights();
  sights.note('first', 9);
  for (let n = 0; n < 10_000; n++) sights.note(`k${n}`, n + 1);
  expect(sights.mayBeBehind('first', 1)).toBe(false);
  expect(sights.mayBeBehind('k9999', 1)).toBe(true);
});
