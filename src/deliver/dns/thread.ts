import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { describeError, HsdoError } from '../../model/error.ts';
import { isBuilt, packageFolder } from '../../telemetry/package-folder.ts';
import type { DnsCounts, FromWorker, Listening, ToWorker, WorkerStart } from './protocol.ts';

/** The thread that answers, while it lives. */
export interface Thread {
  /** Resolves when it answers; rejects with HsdoError `config` when an address cannot be had, with what was thrown when it dies before. */
  readonly listening: Promise<void>;
  /** Resolves when it has ended, with the reason. */
  readonly ended: Promise<string>;
  send(message: ToWorker, handedOver?: readonly ArrayBuffer[]): void;
  /** Ends it from outside, for when it does not do so by itself. */
  terminate(): Promise<unknown>;
}

/**
 * The thread has a file of its own in what was built. In the tree tsx has to be asked for in the thread itself: what
 * `--import` sets up does not reach the first file of a worker in Node 20.
 */
function createWorker(options: WorkerOptions): Worker {
  if (isBuilt) return new Worker(join(packageFolder, 'dist', 'dns-thread.js'), options);
  const tsx = import.meta.resolve('tsx/esm/api');
  const file = pathToFileURL(join(import.meta.dirname, 'worker.ts')).href;
  const code = `import('${tsx}').then(({ register }) => { register(); return import('${file}'); });`;
  return new Worker(code, { ...options, eval: true, execArgv: [] });
}

/** What a thread tells while it lives. */
export interface Heard {
  /** Where it listens: at first, and whenever that changes. */
  listening(message: Listening): void;
  counts(counts: DnsCounts): void;
}

/** Starts the thread that answers. `start` is copied. */
export function startThread(start: WorkerStart, heard: Heard): Thread {
  const worker = createWorker({ workerData: start, name: 'hsdo dns' });
  let reason: string | undefined;
  const ended = new Promise<string>((resolve) => {
    worker.once('exit', (code) => resolve(reason ?? `exit code ${code}`));
  });
  worker.on('error', (error) => {
    reason = describeError(error);
  });
  const listening = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'listening') {
        heard.listening(message);
        resolve();
      } else if (message.kind === 'counts') heard.counts(message.counts);
      else {
        reason = message.message;
        reject(new HsdoError('config', message.message));
      }
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the thread that answers DNS ended with exit code ${code}`)));
  });
  listening.catch(() => {});
  return {
    listening,
    ended,
    send: (message, handedOver = []) => worker.postMessage(message, handedOver),
    terminate: () => worker.terminate(),
  };
}
