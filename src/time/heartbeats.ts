import type { Clock } from './clock.ts';

/** What a loop says of itself: that it is alive now, and is away for `restMs` at most before it says so again: resting, or in a call with that deadline. */
export interface Heartbeat {
  beat(restMs?: number): void;
  /** The loop has ended, as loops do when they are asked to. */
  end(): void;
}

export interface HungLoop {
  readonly loop: string;
  /** For how long it is overdue. */
  readonly overdueMs: number;
}

/** The loops of a process, and which of them hang. */
export interface Heartbeats {
  /** The clock that is handed to everything whose loops shall be known. */
  readonly clock: Clock;
  /** Loops that have been at work for longer than the patience, or did not come back from a rest. */
  hung(): readonly HungLoop[];
}

/** Much longer than the deadline of anything that a loop waits for without saying so: a start anew is no small thing. */
const defaultPatienceMs = 120_000;
const silent: Heartbeat = { beat() {}, end() {} };
/** A loop has the clock at hand, and nothing else that all loops of a process have in common. */
const known = new WeakMap<Clock, (loop: string) => Heartbeat>();

/** Makes a clock, running like `clock`, by which loops can be told apart that work from loops that hang. */
export function createHeartbeats(clock: Clock, patienceMs = defaultPatienceMs): Heartbeats {
  const own: Clock = { now: clock.now, monotonic: clock.monotonic, sleep: clock.sleep };
  const running = new Set<{ readonly loop: string; dueAt: number }>();
  known.set(own, (loop) => {
    const one = { loop, dueAt: clock.monotonic() };
    running.add(one);
    return {
      beat(restMs = 0) {
        one.dueAt = clock.monotonic() + restMs;
      },
      end: () => void running.delete(one),
    };
  });
  return {
    clock: own,
    hung() {
      const now = clock.monotonic();
      const late = [...running].filter(({ dueAt }) => now - dueAt > patienceMs);
      return late.map(({ loop, dueAt }) => ({ loop, overdueMs: Math.round(now - dueAt) }));
    },
  };
}

/** The heartbeat of one more loop, which counts as working from now on; one that nobody listens to with any other clock. */
export function heartbeatOf(clock: Clock, loop: string): Heartbeat {
  return known.get(clock)?.(loop) ?? silent;
}
