/**
 * A latch that says "look again". Nudges before a wait are kept, several nudges count as one: an event is only
 * a hint, the round that follows reads the full state.
 */
export interface Nudge {
  nudge(): void;
  /** Resolves at the next nudge, at once when one is pending; rejects with the signal's reason on abort. */
  wait(signal: AbortSignal): Promise<void>;
}

export function createNudge(): Nudge {
  let pending = false;
  let wake: (() => void) | undefined;
  return {
    nudge() {
      pending = true;
      wake?.();
    },
    wait(signal) {
      return new Promise((resolve, reject) => {
        let isOver = false;
        const settle = () => {
          isOver = true;
          wake = undefined;
          signal.removeEventListener('abort', onAbort);
        };
        const onAbort = () => {
          settle();
          reject(signal.reason as Error);
        };
        const onNudge = () => {
          // Aborted in the turn between: the nudge stays pending for whoever waits next.
          if (isOver) return;
          settle();
          pending = false;
          resolve();
        };
        if (signal.aborted) return reject(signal.reason as Error);
        if (pending) return onNudge();
        // A turn later, so that several nudges in a row wake the waiter once.
        wake = () => {
          wake = undefined;
          queueMicrotask(onNudge);
        };
        signal.addEventListener('abort', onAbort, { once: true });
      });
    },
  };
}
