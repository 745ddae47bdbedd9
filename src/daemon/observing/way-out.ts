import { connect } from 'node:net';
import { describeError } from '../../model/error.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Clock } from '../../time/clock.ts';
import { withDeadline } from '../../time/deadline.ts';
import { every } from '../../time/every.ts';

/** Whether this process itself can reach the world: if not, its bad news about others is no news. */
export interface WayOut {
  run(signal: AbortSignal): Promise<void>;
  /** Why this observer should cast no votes; `undefined` while it may, and until it was looked for. */
  closed(): string | undefined;
}

const everyMs = 2000;
const timeoutMs = 1500;
/** Looks in a row that must fail: a single lost packet takes nobody's vote away. */
const failuresToClose = 2;

function reach(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/**
 * Connects to every place again and again; it is closed while not a single one can be reached, and open again with the
 * first that can. A place that refuses was reached.
 *
 * @param places - As host:port or [IPv6]:port; at least one.
 */
export function createWayOut(
  places: readonly string[],
  {
    clock,
    log,
    onChange,
  }: { readonly clock: Clock; readonly log: Log; readonly onChange: (closed: string | undefined) => void },
): WayOut {
  let failures = 0;
  let reason: string | undefined;

  async function attempt(place: string, signal: AbortSignal): Promise<void> {
    const at = place.lastIndexOf(':');
    const host = place.slice(0, at).replace(/^\[(.*)\]$/, '$1');
    try {
      await withDeadline(place, timeoutMs, signal, (inner) => reach(host, Number(place.slice(at + 1)), inner));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error;
    }
  }

  async function look(signal: AbortSignal): Promise<void> {
    const tries = await Promise.allSettled(places.map((place) => attempt(place, signal)));
    if (signal.aborted) return;
    const failed = tries.flatMap((one) => (one.status === 'rejected' ? [describeError(one.reason)] : []));
    failures = failed.length === places.length ? failures + 1 : 0;
    const next =
      failures >= failuresToClose
        ? `its own way out is closed: none of ${places.join(', ')} can be reached`
        : undefined;
    if (next === reason) return;
    reason = next;
    if (next === undefined) log.info({}, 'the way out is open again; votes are cast again');
    else log.warn({ reason: failed[0] }, 'the way out is closed; no votes are cast until it is open');
    onChange(next);
  }

  return {
    closed: () => reason,
    run: (signal) => every({ name: 'the way out', intervalMs: everyMs, clock }, () => look(signal), signal),
  };
}
