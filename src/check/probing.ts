import { describeError } from '../model/error.ts';
import { failed, type Probe, probeCodes, unasked } from '../model/probe.ts';
import type { Target } from '../model/target.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import type { HealthCheck } from './health-check.ts';

export interface ProbeRules {
  /** The longest that one try may take. */
  readonly timeoutMs: number;
  /** Further tries, at once, after one that timed out. */
  readonly retries: number;
  readonly clock: Clock;
}

/** A time-out that comes later than this after its time says more about this process than about the target. */
const heldUpMs = 250;
const heldUp = 'No complete answer was heard, but this process had no time to listen';

/**
 * Runs a check on a target, each try under a deadline of its own. Only a try that timed out is repeated, at once and up
 * to `retries` times (dhaf's `retries`); a check that ignores its signal is given up all the same. Whatever a check
 * throws, or returns in place of a probe, is `unknown` with code `error`, and so is a time-out while this process itself
 * was held up: asking again at once would hold it up even more. Where the check measured no time of its own, `totalMs` is the time of its last try.
 *
 * @throws the signal's reason once that is aborted; nothing else.
 */
export async function runProbe(
  check: HealthCheck,
  target: Target,
  rules: ProbeRules,
  signal: AbortSignal,
): Promise<Probe> {
  const { clock, timeoutMs, retries } = rules;
  for (let tries = 1; ; tries += 1) {
    const startedAt = clock.monotonic();
    const probe = await tryOnce(check, target, timeoutMs, signal);
    const tookMs = clock.monotonic() - startedAt;
    if (probe.code !== 'timeout') return withTotal(probe, tookMs);
    if (tookMs > timeoutMs + heldUpMs) return unasked('error', `${heldUp}: it took ${Math.round(tookMs)} ms`);
    if (tries > retries) return tries === 1 ? probe : failed('timeout', `${probe.message}, tried ${tries} times`);
  }
}

async function tryOnce(check: HealthCheck, target: Target, timeoutMs: number, signal: AbortSignal): Promise<Probe> {
  let own: AbortSignal | undefined;
  try {
    const probe: unknown = await withDeadline(target.id, timeoutMs, signal, (inner) => {
      own = inner;
      return check.check(target, inner);
    });
    return isProbe(probe) ? probe : unasked('error', 'The check answered with something that is not a probe');
  } catch (error) {
    signal.throwIfAborted();
    // Only the deadline aborts the inner signal while the outer one is not.
    if (own?.aborted) return failed('timeout', `No complete answer within ${timeoutMs} ms`);
    return unasked('error', `The check could not be made: ${describeError(error)}`);
  }
}

const results: readonly unknown[] = ['up', 'down', 'unknown'] satisfies Probe['result'][];

/** People may write checks of their own, so what comes back is looked at as far as anybody relies on it. */
function isProbe(value: unknown): value is Probe {
  if (typeof value !== 'object' || value === null) return false;
  const { result, code, message, connectMs, totalMs } = value as Record<string, unknown>;
  const isTime = (time: unknown) => time === undefined || (Number.isFinite(time) && (time as number) >= 0);
  return (
    results.includes(result) &&
    probeCodes.some((known) => known === code) &&
    typeof message === 'string' &&
    isTime(connectMs) &&
    isTime(totalMs)
  );
}

/** What is not up has often given no whole answer that could have been timed. */
function withTotal(probe: Probe, totalMs: number): Probe {
  return probe.result === 'up' && probe.totalMs === undefined ? { ...probe, totalMs } : probe;
}
