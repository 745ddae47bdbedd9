import { setMaxListeners } from 'node:events';
import type { Log } from '../telemetry/log.ts';

/** Things that must be closed at the end, in reverse order of their opening. */
export interface Closers {
  add(what: string, close: () => Promise<void> | void): void;
  closeAll(log: Log): Promise<void>;
}

export function createClosers(): Closers {
  const open: { what: string; close: () => Promise<void> | void }[] = [];
  return {
    add: (what, close) => void open.push({ what, close }),
    async closeAll(log) {
      for (const { what, close } of open.splice(0).reverse()) {
        try {
          await close();
        } catch (error) {
          log.warn({ error }, `closing ${what} failed`);
        }
      }
    },
  };
}

/** The process's one signal: the first SIGTERM or SIGINT stops cleanly, the second exits at once. */
export function stopOnSignals(log: Log): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      log.info({ signal: name }, 'stopping');
      controller.abort(new Error(`stopped by ${name}`));
    });
  }
  return controller.signal;
}

/**
 * Runs loops side by side until the signal is aborted. One that ends by itself or throws is a bug: the others are
 * stopped and the error comes out, so that the supervisor starts the process anew.
 */
export async function runTogether(
  loops: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const stop = () => own.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const ended = loops.map(async (loop) => {
    try {
      await loop(own.signal);
    } finally {
      own.abort(new Error('a loop of this process ended'));
    }
  });
  const results = await Promise.allSettled(ended);
  signal.removeEventListener('abort', stop);
  const failed = results.find((result): result is PromiseRejectedResult => result.status === 'rejected');
  if (failed && !signal.aborted) throw failed.reason;
}

/** A loop that does nothing for as long as the others run. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
