import { assertAccepted, notifyCall } from '../../deliver/notify/notify-call.ts';
import { describeError, HsdoError } from '../../model/error.ts';
import type { Secret } from '../../model/secret.ts';
import type { Lease } from '../../publish/lease.ts';
import { createStreak, type Log } from '../../telemetry/log.ts';
import type { Clock } from '../../time/clock.ts';
import { withDeadline } from '../../time/deadline.ts';
import { every } from '../../time/every.ts';

/**
 * The leader asks a URL outside now and then while all is in order, so that somebody outside notices when nobody does. In order
 * means that this process leads and that the last round of every service came to its end.
 */
export function createHeartbeatPing(parts: {
  readonly url: Secret;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly lease: Pick<Lease, 'term'>;
  readonly isInOrder: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}): (signal: AbortSignal) => Promise<void> {
  const { url, intervalMs, timeoutMs, lease, isInOrder, clock, log } = parts;
  const streak = createStreak(log, 'the heartbeat ping');
  const what = 'Cannot ping';
  let askedAtMs = Number.NEGATIVE_INFINITY;
  const once = async (signal: AbortSignal) => {
    if (lease.term() === undefined || !isInOrder()) return;
    if (clock.monotonic() - askedAtMs < intervalMs) return;
    askedAtMs = clock.monotonic();
    try {
      await withDeadline('The place of the heartbeat ping', timeoutMs, signal, async (inner) =>
        assertAccepted(what, await notifyCall(what, { url: url.reveal(), method: 'GET' }, inner)),
      );
      streak.worked();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
    }
  };
  // Whoever begins to lead, or is in order again, says so soon.
  const looks = { name: 'the heartbeat ping', intervalMs: Math.min(1000, intervalMs), longestRunMs: timeoutMs, clock };
  return (signal) => every(looks, () => once(signal), signal);
}
