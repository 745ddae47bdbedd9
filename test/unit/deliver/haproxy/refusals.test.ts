import { expect, it } from 'vitest';
import type { Change } from '../../../../src/deliver/haproxy/plan.ts';
import { createRefusals } from '../../../../src/deliver/haproxy/refusals.ts';
import { createFakeClock } from '../../../fixtures/clock.ts';

const change = (weight: number): Change => ({ index: 1, server: 'web1', steps: [{ do: 'weight', weight }] });

it('what HAProxy refuses rests for longer each time, and anything new is tried at once', async () => {
  const clock = createFakeClock();
  const refusals = createRefusals(clock);
  expect(refusals.isResting('web', change(5))).toBe(false);
  for (const restMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    refusals.settle('web', [change(5)], [change(5)]);
    await clock.advance(restMs - 1);
    expect(refusals.isResting('web', change(5))).toBe(true);
    expect(refusals.isResting('web', change(6))).toBe(false);
    expect(refusals.isResting('other', change(5))).toBe(false);
    await clock.advance(1);
    expect(refusals.isResting('web', change(5))).toBe(false);
  }
  refusals.settle('web', [change(5)], []);
  refusals.settle('web', [change(5)], [change(5)]);
  await clock.advance(1000);
  expect(refusals.isResting('web', change(5))).toBe(false);
});
