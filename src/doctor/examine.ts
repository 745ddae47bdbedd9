import { setMaxListeners } from 'node:events';
import { describeError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { type Examination, type Finding, fault } from './finding.ts';

/** One look may take this long, milliseconds. */
export const lookMs = 5000;

export interface ExamineOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told after each look, in whatever order they end. */
  readonly onLooked?: (done: number, total: number) => void;
}

/**
 * Finds out why hsdo does not work, by reading alone: nothing is written, made or bound. It looks at everything at once, each
 * thing within five seconds, and gives what was found in the order of the examinations.
 * What fails or does not answer is a fault like any other. Rejects only when the signal is aborted.
 */
export async function examine(
  examinations: readonly Examination[],
  { clock, signal, onLooked }: ExamineOptions,
): Promise<readonly Finding[]> {
  // Every look listens to it.
  setMaxListeners(0, signal);
  let done = 0;
  const found = await Promise.all(
    examinations.map(async ({ about, remedy, look }) => {
      try {
        return await withDeadline(about, lookMs, signal, look, clock);
      } catch (error) {
        signal.throwIfAborted();
        return [fault(about, describeError(error), remedy)];
      } finally {
        done += 1;
        onLooked?.(done, examinations.length);
      }
    }),
  );
  return found.flat();
}
