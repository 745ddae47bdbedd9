import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';
import { describeError } from '../model/error.ts';
import { logLine } from './log-line.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/**
 * The process's logger, on standard error: for people on a terminal (or `format: 'text'`), one JSON object
 * otherwise, each a line. Messages are static sentences, what varies stands in fields, so that equal events group.
 */
export function createLog(options: {
  readonly level: 'debug' | 'info';
  readonly format: 'auto' | 'json' | 'text';
}): Logger {
  const asText = options.format === 'text' || (options.format === 'auto' && process.stderr.isTTY === true);
  const stream = asText
    ? pretty({
        colorize: process.stderr.isTTY === true && !process.env['NO_COLOR'],
        destination: 2,
        sync: true,
        ignore: 'pid,hostname',
        hideObject: true,
        messageFormat: logLine,
      })
    : pino.destination({ dest: 2, sync: true });
  // An error has no fields of its own that JSON would show.
  const serializers = { error: describeError };
  return pino({ level: options.level, base: { pid: process.pid }, serializers }, stream);
}

/**
 * Tells transitions, not rounds: `failed` logs the first failure and every change of its text, `worked` logs the
 * recovery with the number of failures before it.
 */
export interface Streak {
  failed(reason: string): void;
  worked(): void;
  /** How many failures in a row so far. */
  failures(): number;
}

export function createStreak(log: Log, what: string, fields: Record<string, unknown> = {}): Streak {
  let count = 0;
  let last: string | undefined;
  return {
    failed(reason) {
      count += 1;
      if (reason !== last) log.warn({ ...fields, reason }, `${what} fails`);
      last = reason;
    },
    worked() {
      if (count > 0) log.info({ ...fields, failures: count }, `${what} works again`);
      count = 0;
      last = undefined;
    },
    failures: () => count,
  };
}
