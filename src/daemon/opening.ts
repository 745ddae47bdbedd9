import { isDeepStrictEqual } from 'node:util';
import { describeError, HsdoError } from '../model/error.ts';
import type { Refusal } from '../model/target.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import { createBackoff } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';
import type { StoreHealth } from './store-health.ts';

/** Refusals that one line of the log names. */
const mostTold = 20;

/**
 * Opens something that the process cannot work without, for as long as it takes: a store that is away at the start is
 * an outage like any other. Gives `undefined` when the signal is aborted first.
 */
export async function openPatiently<T>(
  what: string,
  open: () => Promise<T>,
  {
    clock,
    log,
    onFailure,
  }: { readonly clock: Clock; readonly log: Log; readonly onFailure?: (error: unknown) => void },
  signal: AbortSignal,
): Promise<T | undefined> {
  const streak = createStreak(log, `opening ${what}`);
  const backoff = createBackoff({ baseMs: 200, maxMs: 10_000 });
  while (!signal.aborted) {
    try {
      const opened = await open();
      streak.worked();
      return opened;
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
      onFailure?.(error);
      await pause(clock, backoff.next(), undefined, signal);
    }
  }
  return undefined;
}

/**
 * Says what of HSDO's table cannot be read, when that changes; such a slot is taken for free, and a person should know.
 */
export function tellRefusals(
  log: Log,
  { noteRefusals }: Pick<StoreHealth, 'noteRefusals'>,
): (refusals: readonly Refusal[]) => void {
  let told: readonly Refusal[] = [];
  return (refusals) => {
    noteRefusals(refusals);
    if (isDeepStrictEqual(told, refusals)) return;
    told = refusals;
    if (refusals.length === 0) log.info({}, 'the table holds nothing but readable rows again');
    else
      log.warn(
        { count: refusals.length, refusals: refusals.slice(0, mostTold) },
        'the table holds rows that cannot be read',
      );
  };
}
