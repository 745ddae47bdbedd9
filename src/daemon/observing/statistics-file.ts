import { join } from 'node:path';
import { describeError, HsdoError } from '../../model/error.ts';
import { createStatisticsKeeper, type StatisticsKeeper } from '../../publish/statistics.ts';
import { openSqliteStore } from '../../store/sqlite.ts';
import { createStreak } from '../../telemetry/log.ts';
import { withDeadline } from '../../time/deadline.ts';
import { every } from '../../time/every.ts';
import type { ProcessParts } from '../process.ts';
import type { Opinions } from './opinions.ts';

/** In the state folder of the process, whatever store the servers share: statistics are one observer's own. */
const fileName = 'statistics.db';
const saveEveryMs = 30_000;
const deadlineMs = 5000;

/**
 * Gives the opinions the statistics of earlier runs, and saves them now and then and at the end. A file that cannot be
 * used is told and costs the statistics their memory, nothing else.
 */
export async function openStatistics(
  { config, clock, log, closers }: Pick<ProcessParts, 'config' | 'clock' | 'log' | 'closers'>,
  opinions: Opinions,
  services: readonly string[],
  signal: AbortSignal,
): Promise<{ run(signal: AbortSignal): Promise<void> }> {
  const streak = createStreak(log, 'keeping the statistics of checks');
  const attempt = async (call: () => Promise<void>) => {
    try {
      await call();
      streak.worked();
    } catch (error) {
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
    }
  };
  let keeper: StatisticsKeeper | undefined;
  await attempt(async () => {
    const path = join(config.stateDirectory, fileName);
    const store = await openSqliteStore({ kind: 'sqlite', path }, clock, signal);
    closers.add('the statistics of checks', () => store.close());
    keeper = createStatisticsKeeper(store);
    for (const service of services) opinions.recall(service, await keeper.load(service, signal));
  });
  const save = (outer: AbortSignal) =>
    attempt(async () => {
      for (const service of services) {
        await withDeadline('The file of statistics', deadlineMs, outer, async (inner) =>
          keeper?.save(service, opinions.statistics(service), inner),
        );
      }
    });
  return {
    async run(inner) {
      await every({ name: 'statistics', intervalMs: saveEveryMs, clock }, () => save(inner), inner);
      await save(new AbortController().signal);
    },
  };
}
