import { describeError, HsdoError } from '../../model/error.ts';
import type { BallotReader, RegisteredObserver } from '../../publish/ballot-reader.ts';
import type { Change } from '../../store/store.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import type { Clock } from '../../time/clock.ts';
import { withDeadline } from '../../time/deadline.ts';
import { every } from '../../time/every.ts';
import { watchForHints } from '../../time/hints.ts';
import { createNudge } from '../../time/nudge.ts';

/** All observers with their votes, as this process reads them; every server reads, so that a new leader knows who is fresh. */
export interface Electorate {
  run(signal: AbortSignal): Promise<void>;
  /** As last read; `undefined` before the first time. Over an outage of the store the last ones stand. */
  observers(): readonly RegisteredObserver[] | undefined;
  /** For how long each was not heard of, by id, milliseconds. */
  silentMs(): ReadonlyMap<string, number>;
  /** `beside` is written in the same commit. */
  decommission(id: string, signal: AbortSignal, beside?: readonly Change[]): Promise<void>;
  unreadable(): readonly string[];
}

const deadlineMs = 5000;
const tidyEveryMs = 60_000;

/** @param onChange - Called when anything about observers or votes differs from the read before. */
export function createElectorate(options: {
  readonly reader: BallotReader;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}): Electorate {
  const { reader, intervalMs, clock, log, onChange } = options;
  const streak = createStreak(log, 'reading the votes');
  const nudge = createNudge();
  let observers: readonly RegisteredObserver[] | undefined;
  let tidiedAt = clock.monotonic();

  async function tidy(signal: AbortSignal): Promise<void> {
    if (clock.monotonic() - tidiedAt < tidyEveryMs) return;
    tidiedAt = clock.monotonic();
    for (const id of await reader.tidy(signal)) log.info({ observer: id }, 'an observer that is long gone is removed');
  }

  async function once(signal: AbortSignal): Promise<void> {
    try {
      await withDeadline('The store, asked for the votes,', deadlineMs, signal, async (inner) => {
        const read = await reader.read(inner);
        const isNews = read.length !== observers?.length || read.some((one, n) => one !== observers?.[n]);
        observers = read;
        if (isNews) onChange();
        await tidy(inner);
      });
      streak.worked();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
    }
  }

  return {
    observers: () => observers,
    unreadable: reader.unreadable,
    silentMs: reader.silentMs,
    async decommission(id, signal, beside) {
      await reader.decommission(id, signal, beside);
      log.info({ observer: id }, 'an observer is struck off');
      nudge.nudge();
    },
    async run(signal) {
      const hints = watchForHints((inner) => reader.changed?.(inner), nudge.nudge, clock, signal);
      await every({ name: 'reading votes', intervalMs, clock, nudge }, () => once(signal), signal);
      await hints;
    },
  };
}
