import type { Clock } from '../../time/clock.ts';
import type { Change } from './plan.ts';

/**
 * Keeps what HAProxy does not accept (a weight in a static backend, a socket without `level admin`) from being sent again
 * at every look: the same steps for the same server wait 1 s, then twice as long each time, at most a minute.
 */
export interface Refusals {
  isResting(backend: string, change: Change): boolean;
  /** Tells which changes were sent and which of them still are to be done. */
  settle(backend: string, sent: readonly Change[], remaining: readonly Change[]): void;
}

const firstRestMs = 1000;
const longestRestMs = 60_000;

export function createRefusals(clock: Pick<Clock, 'monotonic'>): Refusals {
  const resting = new Map<string, { steps: string; restMs: number; untilAt: number }>();
  const keyOf = (backend: string, change: Change) => `${backend}/${change.server}`;
  return {
    isResting(backend, change) {
      const found = resting.get(keyOf(backend, change));
      return found !== undefined && found.steps === JSON.stringify(change.steps) && clock.monotonic() < found.untilAt;
    },
    settle(backend, sent, remaining) {
      const left = new Map(remaining.map((change) => [change.server, change]));
      for (const change of sent) {
        const key = keyOf(backend, change);
        const still = left.get(change.server);
        if (!still) {
          resting.delete(key);
          continue;
        }
        const steps = JSON.stringify(still.steps);
        const before = resting.get(key);
        const restMs = before?.steps === steps ? Math.min(longestRestMs, before.restMs * 2) : firstRestMs;
        resting.set(key, { steps, restMs, untilAt: clock.monotonic() + restMs });
      }
    },
  };
}
