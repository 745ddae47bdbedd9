import { setMaxListeners } from 'node:events';
import type { Problem } from '../model/problem.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { type Closers, createClosers } from './lifecycle.ts';

/** What a process does by one configuration. What it opens is closed when the signal is aborted, before the next one plays. */
export type Play<C> = (config: C, closers: Closers, signal: AbortSignal) => Promise<void>;

/** The configuration of a process, which may become another one while it runs. */
export interface Reloading<C> {
  /** The one in use. */
  current(): C;
  /** Plays by the configuration as it is, and anew whenever it is another one, until the signal is aborted. */
  each(play: Play<C>, signal: AbortSignal): Promise<void>;
  /** That what stands on disk is not what is in use. It keeps nobody from work. */
  problems(): readonly Problem[];
  /**
   * Reads the configuration again. A whole new one is in use when this resolves, as far as everything was begun; of a faulty
   * one, or one that differs in what takes a restart, nothing is. One after the other; never rejects.
   */
  reload(): Promise<void>;
}

export interface ReloadingOptions<C> {
  readonly first: C;
  /** The whole configuration, or what is wrong with it, a line each. */
  readonly load: () => { readonly config: C } | { readonly faults: readonly string[] };
  /** Paths of what differs and is only read at a start. */
  readonly restartPaths: (before: C, after: C) => readonly string[];
  /** Called when nothing plays by the one any more, and before anything does by the other. */
  readonly onChange?: (before: C, after: C) => Promise<void> | void;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'configReloadSuccessful' | 'configReloadSuccess'>;
}

export function createReloading<C>(options: ReloadingOptions<C>): Reloading<C> {
  const { load, restartPaths, onChange, log } = options;
  const playing = new Set<Promise<void>>();
  const report = createReport(options);
  let config = options.first;
  let generation = new AbortController();
  /** Whoever would begin meanwhile waits for the others to end. */
  let changed = Promise.resolve();
  let last = Promise.resolve();

  async function change(next: C): Promise<void> {
    const [before, old] = [config, generation];
    const ended = Promise.allSettled([...playing]);
    generation = new AbortController();
    old.abort(new Error('the configuration is another one'));
    await ended;
    config = next;
    await onChange?.(before, next);
  }

  async function once(): Promise<void> {
    const loaded = load();
    if ('faults' in loaded) return report.refused({ faults: loaded.faults }, loaded.faults[0] ?? 'it has faults');
    const restart = restartPaths(config, loaded.config);
    if (restart.length > 0) return report.refused({ restart }, `${restart.join(', ')} can only change at a restart`);
    log.info({}, 'reloading: the configuration on disk is read and right');
    changed = change(loaded.config);
    await changed;
    report.taken();
  }

  async function playOnce(play: Play<C>, signal: AbortSignal): Promise<void> {
    const closers = createClosers();
    try {
      await play(config, closers, signal);
    } finally {
      await closers.closeAll(log);
    }
  }

  return {
    current: () => config,
    async each(play, signal) {
      for (;;) {
        await changed;
        if (signal.aborted) return;
        const own = AbortSignal.any([signal, generation.signal]);
        setMaxListeners(0, own);
        const played = playOnce(play, own);
        playing.add(played);
        await played.finally(() => playing.delete(played));
        // Whoever ends by itself is done, or has failed and says so to those that it runs beside.
        if (!own.aborted) return;
      }
    },
    problems: report.problems,
    reload() {
      last = last.then(once).catch((error: unknown) => log.error({ error }, 'a bug in reloading'));
      return last;
    },
  };
}

/** What became of the last reload, for people and for those who watch metrics. */
function createReport<C>({ clock, log, metrics }: Pick<ReloadingOptions<C>, 'clock' | 'log' | 'metrics'>): Pick<
  Reloading<C>,
  'problems'
> & {
  taken(): void;
  refused(fields: Readonly<Record<string, unknown>>, reason: string): void;
} {
  let refusal: string | undefined;
  const note = () => {
    refusal = undefined;
    metrics.configReloadSuccessful.set(1);
    metrics.configReloadSuccess.set(clock.now() / 1000);
  };
  note();
  return {
    problems: () => (refusal === undefined ? [] : [{ part: 'configuration', message: refusal }]),
    taken() {
      note();
      log.info({}, 'reloaded: the configuration on disk is in use');
    },
    refused(fields, reason) {
      refusal = `the reload was refused, the one before is in use: ${reason}`;
      metrics.configReloadSuccessful.set(0);
      log.error(fields, 'the reload was refused: the configuration before is in use, and nothing has changed');
    },
  };
}

/** Reloads at every SIGHUP, until the signal is aborted; after that one means nothing. */
export function reloadOnSignal({ reload }: Pick<Reloading<unknown>, 'reload'>, signal: AbortSignal): void {
  process.on('SIGHUP', () => {
    if (!signal.aborted) void reload();
  });
}
