import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/time/clock.ts';

describe('the clock of the real world', () => {
  it("wakes a sleeper early with the caller's own reason", async () => {
    const caller = new AbortController();
    const reason = new Error('enough');
    const sleep = systemClock.sleep(60_000, caller.signal);
    caller.abort(reason);
    await expect(sleep).rejects.toBe(reason);
    await expect(systemClock.sleep(1, caller.signal)).rejects.toBe(reason);
  });
});
