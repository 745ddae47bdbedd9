import { describeError, HsdoError } from '../model/error.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import { every } from '../time/every.ts';
import type { Heartbeats } from '../time/heartbeats.ts';
import { type NotifySocket, openNotifySocket } from './notify-socket.ts';
import type { Readiness } from './readiness.ts';

export interface SystemdParts {
  readonly heartbeats: Heartbeats;
  readonly readiness: Pick<Readiness, 'problems' | 'line'>;
  readonly log: Log;
  readonly open?: (name: string) => Promise<NotifySocket>;
}

/** What systemd told this process about being told. */
interface Terms {
  readonly socket: string;
  /** It kills the process when it hears nothing for so long; absent where nobody asked for that. */
  readonly watchdogMs?: number;
}

const lookMs = 1000;
/** A start may take so much longer, said again while it does. */
const [extensionMs, extendEveryMs] = [30_000, 10_000];

/** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, by sd_notify(3) and sd_watchdog_enabled(3). */
export function termsOf(env: NodeJS.ProcessEnv, pid = process.pid): Terms | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: whose } = env;
  if (!socket) return undefined;
  const watchdogMs = Number(usec) / 1000;
  const isMeant = whose === undefined || whose === '' || Number(whose) === pid;
  return watchdogMs > 0 && Number.isFinite(watchdogMs) && isMeant ? { socket, watchdogMs } : { socket };
}

/**
 * Tells systemd (Type=notify) that the process is ready, once every role did its work for the first time; that it lives, for
 * as long as all of its loops do; what it does, in a line for `systemctl status`; and that it stops. A start that takes
 * long, as while the store is away, is asked for more time as long as the loops live: starting anew would help nobody.
 *
 * Gives the loop that does so until its signal is aborted; none where nobody listens.
 */
export function systemdLoops(
  parts: SystemdParts,
  terms: Terms | undefined,
): readonly ((signal: AbortSignal) => Promise<void>)[] {
  if (terms === undefined) return [];
  return [(signal) => runSystemd(parts, terms, signal)];
}

async function runSystemd(parts: SystemdParts, terms: Terms, signal: AbortSignal): Promise<void> {
  const { heartbeats, log, open = openNotifySocket } = parts;
  const { clock } = heartbeats;
  const streak = createStreak(log, 'telling systemd');
  let socket: NotifySocket | undefined;
  const tell = async ({ lines, told }: News) => {
    if (lines.length === 0) return;
    try {
      socket ??= await open(terms.socket);
      await socket.tell(lines);
      told();
      streak.worked();
    } catch (error) {
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
    }
  };
  const intervalMs = Math.min(lookMs, (terms.watchdogMs ?? lookMs) / 4);
  const next = createNews(parts, terms.watchdogMs === undefined ? undefined : terms.watchdogMs / 2 - intervalMs);
  try {
    await every({ name: 'news for systemd', intervalMs, clock }, () => tell(next()), signal);
  } finally {
    await tell({ lines: ['STOPPING=1', 'STATUS=stopping'], told() {} });
    socket?.close();
  }
}

interface News {
  readonly lines: readonly string[];
  /** They have been taken. */
  readonly told: () => void;
}

/**
 * What is new at a look. What was not taken is new again at the next.
 *
 * @param pingMs - A sign of life is due so long after the last, so that the next look is not too late; absent: nobody waits for one.
 */
function createNews({ heartbeats, readiness, log }: SystemdParts, pingMs: number | undefined): () => News {
  const { clock, hung } = heartbeats;
  let isReady = false;
  let line = '';
  let pingedAt = Number.NEGATIVE_INFINITY;
  let extendedAt = Number.NEGATIVE_INFINITY;
  const tellHung = createHungTeller(log);
  return () => {
    const hanging = hung();
    tellHung(hanging);
    const now = clock.monotonic();
    const lives = hanging.length === 0;
    const becomesReady = !isReady && readiness.problems().length === 0;
    const said = lives ? readiness.line() : `hangs: ${hanging.map(({ loop }) => loop).join(', ')}`;
    const pings = pingMs !== undefined && lives && now - pingedAt >= pingMs;
    const asksForTime = !isReady && !becomesReady && lives && now - extendedAt >= extendEveryMs;
    const lines = [
      ...(becomesReady ? ['READY=1'] : []),
      ...(pings ? ['WATCHDOG=1'] : []),
      ...(asksForTime ? [`EXTEND_TIMEOUT_USEC=${extensionMs * 1000}`] : []),
      ...(said === line ? [] : [`STATUS=${said}`]),
    ];
    const told = () => {
      if (becomesReady) log.info({}, 'ready: every role does its work');
      isReady ||= becomesReady;
      line = said;
      if (pings) pingedAt = now;
      if (asksForTime) extendedAt = now;
    };
    return { lines, told };
  };
}

/** A loop that hangs is said once, whoever watches: its name is what a report of the fault needs. */
function createHungTeller(
  log: Log,
): (hanging: readonly { readonly loop: string; readonly overdueMs: number }[]) => void {
  let known = '';
  return (hanging) => {
    const names = hanging.map(({ loop }) => loop).join(', ');
    if (names === known) return;
    known = names;
    if (hanging.length > 0)
      log.error({ hanging }, 'a loop hangs: systemd is not told any more that this process lives');
    else log.info({}, 'all loops live again');
  };
}
