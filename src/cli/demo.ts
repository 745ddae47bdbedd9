import { join, relative } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { runDemo } from '../demo/run.ts';
import { isBuilt, packageFolder } from '../telemetry/package-folder.ts';
import { systemClock } from '../time/clock.ts';
import { exitCodes } from './exit.ts';

/** As shells have it: ended by SIGINT. */
const interrupted = 130;

/** `hsdo demo`, what `npm start` runs: the main job on this machine, live. */
export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('show the main job on this machine, live: real HAProxy, server and client follow a changing list')
    .option('--once', 'tell the story once, verify every step, exit with 0 or 1')
    .option('--seconds-per-step <n>', 'least time for each step (default: 6, with --once 2)', secondsOf)
    .action(async (options: { once?: boolean; secondsPerStep?: number }) => {
      const isOnce = options.once === true;
      const outcome = await runDemo({
        isOnce,
        secondsPerStep: options.secondsPerStep ?? (isOnce ? 2 : 6),
        ...ownProgram(),
        output: process.stdout,
        clock: systemClock,
        signal: endOfInterest(),
      });
      const codes = { told: exitCodes.ok, failed: exitCodes.failed, stopped: isOnce ? interrupted : exitCodes.ok };
      process.exitCode = codes[outcome];
    });
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,3}(\.\d{1,3})?$/.test(text) && seconds <= 600) return seconds;
  throw new InvalidArgumentError('expected seconds from 0 to 600');
}

/** How this very program is run: built, or from its sources with the loader that reads them. */
function ownProgram(): { readonly entry: readonly string[]; readonly hsdo: string } {
  const main = join(packageFolder, isBuilt ? 'dist/main.js' : 'src/main.ts');
  const loader = isBuilt ? [] : process.execArgv;
  return { entry: [...loader, main], hsdo: `node ${relative(process.cwd(), main) || main}` };
}

/** The first signal ends the demo cleanly; the second at once, and what it started still ends with it. */
function endOfInterest(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(interrupted);
      controller.abort(new Error(`stopped by ${name}`));
    });
  }
  // Nobody reads any more, as with `| head`.
  process.stdout.on('error', (error) => controller.abort(error));
  return controller.signal;
}
