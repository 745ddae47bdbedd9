import { isDeepStrictEqual } from 'node:util';
import type { HaproxyDelivery } from '../deliver/haproxy/haproxy.ts';
import type { SocketStatus } from '../deliver/haproxy/socket-loop.ts';
import { describeError, HsdoError } from '../model/error.ts';
import { createReports, type Report } from '../publish/reports.ts';
import type { Store } from '../store/store.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { every } from '../time/every.ts';

interface Reported {
  readonly name: string;
  readonly delivery: Pick<HaproxyDelivery, 'status'>;
}

/** How often a client looks whether it has something new to say, and how old its last word may get. */
const lookMs = 1000;
const refreshMs = 60_000;
/** A report that nobody refreshed for this long is of a client that will not come back. */
const forgottenMs = 24 * 3_600_000;
const deadlineMs = 5000;

function socketReport({ socket, isUp, lastError, backends }: SocketStatus): Report['sockets'][number] {
  return {
    socket,
    isUp: isUp === true,
    ...(lastError === undefined ? {} : { error: lastError.slice(0, 500) }),
    drift: backends.reduce((sum, { drift }) => sum + drift.length, 0),
    missing: backends.flatMap(({ name, missing }) =>
      missing.length === 0 ? [] : [{ backend: name, slots: [...missing] }],
    ),
    manual: backends.flatMap(({ name, held }) =>
      held.map(({ index, state }) => ({ backend: name, slot: index, state })),
    ),
  };
}

/** What a client says about one service at the moment. */
export function reportOf(client: string, { name, delivery }: Reported, at: number): Report {
  const status = delivery.status();
  return { client, service: name, at, revision: status.revision ?? 0, sockets: status.sockets.map(socketReport) };
}

/** Writes a client's reports into the store: when something changed, and once a minute as a sign of life. */
export function createReporter(options: {
  readonly client: string;
  readonly kept: readonly Reported[];
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}): { run(signal: AbortSignal): Promise<void> } {
  const { client, kept, clock, log } = options;
  const reports = createReports(options.store);
  const streak = createStreak(log, 'writing the report on HAProxy');
  const written = new Map<string, Report>();

  async function say(service: Reported, signal: AbortSignal): Promise<void> {
    const report = reportOf(client, service, clock.now());
    const before = written.get(service.name);
    const isNews = before === undefined || !isDeepStrictEqual({ ...before, at: 0 }, { ...report, at: 0 });
    if (!isNews && report.at - before.at < refreshMs) return;
    await withDeadline('The store, given a report,', deadlineMs, signal, (inner) => reports.write(report, inner));
    written.set(service.name, report);
  }

  async function once(signal: AbortSignal): Promise<void> {
    try {
      for (const service of kept) await say(service, signal);
      streak.worked();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
    }
  }

  /** Best effort on both ends: a stale report is hidden by its age, and removed by whoever comes next. */
  const tidy = (what: string, call: (signal: AbortSignal) => Promise<void>, signal: AbortSignal) =>
    withDeadline(`The store, asked to ${what},`, deadlineMs, signal, call).catch((error: unknown) => {
      log.debug({ reason: describeError(error) }, 'tidying up the reports failed');
    });

  return {
    async run(signal) {
      await tidy('forget old reports', (inner) => reports.removeOlderThan(clock.now() - forgottenMs, inner), signal);
      await every({ name: 'reports of the client', intervalMs: lookMs, clock }, () => once(signal), signal);
      for (const report of written.values()) {
        await tidy('withdraw a report', (inner) => reports.withdraw(report, inner), new AbortController().signal);
      }
    },
  };
}
