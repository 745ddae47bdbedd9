import type { Command } from 'commander';
import { describeError } from '../model/error.ts';
import { systemClock } from '../time/clock.ts';
import { every } from '../time/every.ts';
import { createNudge } from '../time/nudge.ts';
import { type ApiOptions, askApi } from './api-client.ts';
import { Exit, exitCodes } from './exit.ts';
import { paints } from './paint.ts';
import { gatherNews } from './top-news.ts';
import { type TopView, topFrame } from './top-screen.ts';
import { openTopTerminal } from './top-terminal.ts';

const everyMs = 1000;
/** A picture every second is worth nothing if it waits longer than this for its parts. */
const patienceMs = 3000;

/** `hsdo top`: what is, every second, until somebody leaves. */
export function addTop(program: Command): void {
  program
    .command('top')
    .description('watch services, slots, nodes and events live in the terminal; q leaves')
    .action(async (_: unknown, command: Command) => {
      const isTerminal = process.stdout.isTTY && process.stdin.isTTY && process.env['TERM'] !== 'dumb';
      if (!isTerminal) {
        throw new Exit(
          exitCodes.usage,
          'error: hsdo top needs a terminal; `hsdo status` says the same once, also in a pipe',
        );
      }
      await watch({ ...command.optsWithGlobals<ApiOptions>(), timeoutMs: patienceMs });
    });
}

async function watch(api: ApiOptions): Promise<void> {
  const nudge = createNudge();
  let view: Omit<TopView, 'now'> = {};
  const colors = paints(process.stdout);
  const draw = () => terminal.draw(topFrame({ ...view, now: systemClock.now() }, terminal.size(), colors));
  const terminal = openTopTerminal(process.stdin, process.stdout, {
    onKey(key) {
      view = { ...view, ...chosenIn(view, key === 'up' ? -1 : 1) };
      draw();
      nudge.nudge();
    },
    onResize: () => draw(),
  });
  try {
    draw();
    const options = { intervalMs: everyMs, clock: systemClock, nudge };
    await every(
      options,
      async () => {
        const seen = await look(api, view);
        // Meanwhile somebody may have chosen another service.
        view = { ...view, ...seen };
        view = { ...view, ...chosenIn(view, 0) };
        if (!terminal.signal.aborted) draw();
      },
      terminal.signal,
    );
  } finally {
    terminal.close();
  }
}

/** The service that is chosen after a step up or down; the first one at the beginning, and when it has gone. */
function chosenIn({ news, chosen }: Omit<TopView, 'now'>, step: -1 | 0 | 1): { readonly chosen?: string } {
  const names = news?.status.services.map(({ name }) => name) ?? [];
  const next = names[Math.max(0, Math.min(names.length - 1, names.indexOf(chosen ?? '') + step))] ?? names[0];
  return next === undefined ? {} : { chosen: next };
}

/** What the API says now; what it said before stays beside the reason where it does not answer. */
async function look(api: ApiOptions, { news, chosen, away }: Omit<TopView, 'now'>): Promise<Omit<TopView, 'now'>> {
  try {
    return { news: await gatherNews((path) => askApi(api, 'GET', path), news, chosen), away: undefined };
  } catch (error) {
    return { away: { sinceAt: away?.sinceAt ?? systemClock.now(), why: describeError(error) } };
  }
}
