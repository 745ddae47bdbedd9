import type { Clock } from '../../time/clock.ts';
import { pause } from '../../time/every.ts';
import { createNudge } from '../../time/nudge.ts';

/** Brings what changed to the thread that answers, and nothing else. */
export interface DnsPublisher {
  /** The chapter of this key has to be made anew; several calls before it is count as one. */
  changed(key: string): void;
  run(signal: AbortSignal): Promise<void>;
}

/** Chapters that are made at one go: this process has other things to do, and nobody waits for the last of ten thousand. */
const atOnce = 100;

export function createDnsPublisher(options: {
  /** Makes one chapter, compiled. */
  readonly compile: (key: string) => Uint8Array;
  readonly publish: (parts: readonly Uint8Array[]) => void;
  readonly clock: Clock;
}): DnsPublisher {
  const { compile, publish, clock } = options;
  const waiting = new Set<string>();
  const nudge = createNudge();
  return {
    changed(key) {
      waiting.add(key);
      nudge.nudge();
    },
    async run(signal) {
      while (!signal.aborted) {
        const keys = [...waiting].slice(0, atOnce);
        for (const key of keys) waiting.delete(key);
        if (keys.length > 0) publish(keys.map(compile));
        // With more to do the others have their turn first; else the next change wakes.
        if (waiting.size > 0) await pause(clock, 0, undefined, signal);
        else await nudge.wait(signal).catch(() => {});
      }
    },
  };
}
