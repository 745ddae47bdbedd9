import type { ApiToken } from '../api/access.ts';
import { createApp } from '../api/app.ts';
import { createHistory, type History, historyStepMs } from '../api/history.ts';
import { serve } from '../api/listen.ts';
import { createLive } from '../api/live.ts';
import type { View } from '../api/view.ts';
import type { Config } from '../config/schema.ts';
import { createPage } from '../dashboard/page.ts';
import { describeError } from '../model/error.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { every, pause } from '../time/every.ts';
import { runTogether, untilAborted } from './lifecycle.ts';
import type { ProcessParts } from './process.ts';
import type { Yielding } from './whole-view.ts';

/** Everybody who may use the API: `api.token` is one of role operate. */
export function tokensOf({ token, tokens }: Config['api']): readonly ApiToken[] {
  return [...(token === undefined ? [] : [{ name: 'token', role: 'operate' as const, token }]), ...tokens];
}

/** Notes what an API should never have thrown. */
export const bugsIn =
  (log: Log) =>
  (error: unknown): void =>
    log.error({ reason: describeError(error), stack: error instanceof Error ? error.stack : undefined }, 'a bug');

/** A store that answers at once is waited for, so that nobody gets half an answer. */
const patienceMs = 2000;

/**
 * Serves what a view knows, and the dashboard, at an address until the signal is aborted, as the block `api` has it. The
 * address stays as it was at the start; everything else is that of the configuration in use.
 */
export async function serveApi(
  { config, clock, log, reloading }: Pick<ProcessParts, 'config' | 'clock' | 'log' | 'reloading'>,
  { view, shown }: Pick<Yielding, 'view' | 'shown'>,
  listen: string,
  signal: AbortSignal,
): Promise<void> {
  // While the store is away who asks shall hear that the process lives, and what it waits for.
  await pause(clock, patienceMs, shown, signal);
  if (signal.aborted) return;
  const history = createHistory(clock);
  const parts = { view, clock, log, history };
  let app = createAppOf(config, parts);
  const note = async () => history.note(view.pulse());
  await runTogether(
    [
      (inner) =>
        reloading.each(async (now, _, until) => {
          app = createAppOf(now, parts);
          await untilAborted(until);
          // Whoever watches asks again, with a token that may have lost its rights.
          app.close();
        }, inner),
      (inner) =>
        serve(
          'the API',
          { fetch: (...args) => app.fetch(...args) },
          listen,
          { clock, log, tls: config.api.tls },
          inner,
        ),
      (inner) => every({ name: 'history of the dashboard', intervalMs: historyStepMs, clock }, note, inner),
    ],
    signal,
  );
}

function createAppOf(
  { api }: Config,
  {
    view,
    clock,
    log,
    history,
  }: { readonly view: View; readonly clock: Clock; readonly log: Log; readonly history: History },
) {
  const live = createLive({ view, clock, history });
  const options = {
    tokens: tokensOf(api),
    maxBodyBytes: api.maxBodyBytes,
    live,
    page: createPage(),
    onBug: bugsIn(log),
  };
  return { fetch: createApp(view, options).fetch, close: live.close };
}
