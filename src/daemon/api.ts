import type { ApiToken } from '../api/access.ts';
import { createApp } from '../api/app.ts';
import { createHistory, historyStepMs } from '../api/history.ts';
import { serve } from '../api/listen.ts';
import { createLive } from '../api/live.ts';
import type { View } from '../api/view.ts';
import type { Config } from '../config/schema.ts';
import { createPage } from '../dashboard/page.ts';
import { describeError } from '../model/error.ts';
import { every } from '../time/every.ts';
import { runTogether } from './lifecycle.ts';
import type { ProcessParts } from './process.ts';

/** Everybody who may use the API: `api.token` is one of role operate. */
export function tokensOf({ token, tokens }: Config['api']): readonly ApiToken[] {
  return [...(token === undefined ? [] : [{ name: 'token', role: 'operate' as const, token }]), ...tokens];
}

/** Serves what a view knows, and the dashboard, at an address until the signal is aborted, as the block `api` has it. */
export function serveApi(
  { config, clock, log }: Pick<ProcessParts, 'config' | 'clock' | 'log'>,
  view: View,
  listen: string,
  signal: AbortSignal,
): Promise<void> {
  const { api } = config;
  const onBug = (error: unknown) =>
    log.error({ reason: describeError(error), stack: error instanceof Error ? error.stack : undefined }, 'a bug');
  const history = createHistory(clock);
  const live = createLive({ view, clock, history });
  const options = { tokens: tokensOf(api), maxBodyBytes: api.maxBodyBytes, live, page: createPage(), onBug };
  const app = createApp(view, options);
  const note = async () => history.note(view.pulse());
  return runTogether(
    [
      (inner) => serve('the API', app, listen, { clock, log, tls: api.tls }, inner),
      (inner) => every({ name: 'history of the dashboard', intervalMs: historyStepMs, clock }, note, inner),
    ],
    signal,
  );
}
