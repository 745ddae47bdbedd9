import type { Log } from '../telemetry/log.ts';
import type { Answer } from './exchange.ts';

/** How far this machine's clock is from a server's. */
export interface ClockOffset {
  /** Takes what an answer says of the server's clock. `serverAt`: milliseconds since 1970, where the body names it. */
  note(answer: Answer, serverAt?: number): void;
}

/** A difference that a person should know of. */
const toldMs = 5000;

/**
 * Says it when clocks differ by more than 5 s, and when they agree again. Nothing depends on it with servers of hsdo, which
 * go by ages; PyFailoverDNS's master compares an agent's timestamps with its own clock.
 */
export function createClockOffset(
  { server, log }: { readonly server: string; readonly log: Log },
  onOffset: (seconds: number) => void,
): ClockOffset {
  let isTold = false;
  return {
    note({ dateAt, askedAt, answeredAt }, serverAt = dateAt) {
      if (serverAt === undefined) return;
      const offsetMs = (askedAt + answeredAt) / 2 - serverAt;
      // Where between question and answer the server looked at its clock nobody knows.
      const leastMs = Math.abs(offsetMs) - Math.abs(answeredAt - askedAt) / 2;
      onOffset(offsetMs / 1000);
      if (leastMs > toldMs === isTold) return;
      isTold = leastMs > toldMs;
      const fields = { server, seconds: Math.round(offsetMs / 100) / 10 };
      if (isTold) log.warn(fields, 'the clock of this machine is not that of a server');
      else log.info(fields, 'the clocks of this machine and a server agree again');
    },
  };
}
