import { describe, expect, it } from 'vitest';
import { createPlaces, type Place } from '../../../src/check/places.ts';

const takeAll = (places: ReturnType<typeof createPlaces>, now: number): Place[] => {
  const taken: Place[] = [];
  for (let place = places.take(now); place !== undefined; place = places.take(now)) taken.push(place);
  return taken;
};

describe('the places for probes', () => {
  it('are as many as may begin together, and free again when a probe ends', () => {
    const places = createPlaces({ concurrency: 3, maxRunning: 10, patienceMs: 250 });
    const [one] = takeAll(places, 0);
    expect(places.taken()).toBe(3);
    expect(places.roomAt(0)).toBe(250);
    places.release(one as Place);
    expect(places.roomAt(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(takeAll(places, 10)).toHaveLength(1);
  });

  it('do not count probes that have waited for long, up to the bound of all', () => {
    const places = createPlaces({ concurrency: 3, maxRunning: 7, patienceMs: 250 });
    const first = takeAll(places, 0);
    expect(takeAll(places, 249)).toHaveLength(0);
    expect(takeAll(places, 250)).toHaveLength(3);
    expect(takeAll(places, 500)).toHaveLength(1);
    expect(places.taken()).toBe(7);
    expect(places.roomAt(600)).toBe(Number.POSITIVE_INFINITY);
    for (const place of first) places.release(place);
    expect(places.taken()).toBe(4);
    // One of the three is still fresh at 600, so two may begin beside it.
    expect(takeAll(places, 600)).toHaveLength(2);
  });
});
