import type { Command } from 'commander';
import { openHomes } from '../publish/homes.ts';
import { systemClock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { type ConfigOptions, configuration } from './configuration.ts';
import { Exit, exitCodes } from './exit.ts';

const timeoutMs = 120_000;

/** `hsdo release-table`: gives HSDO's table back, so that HSDO's own Python server can go on with it. */
export function addReleaseTable(program: Command): void {
  program
    .command('release-table')
    .description("remove what hsdo added to HSDO's table, for the way back to HSDO's own server")
    .option('--force', 'even while a server of hsdo holds the lease')
    .action(async (options: { force?: boolean }, command: Command) => {
      const config = configuration(command.optsWithGlobals<ConfigOptions>());
      const { signal } = new AbortController();
      const slots = await withDeadline("HSDO's table", timeoutMs, signal, async (inner) => {
        const homes = await openHomes(config, systemClock, inner);
        try {
          if (homes.release === undefined) {
            throw new Exit(
              exitCodes.failed,
              'No table of HSDO is configured: expected DYNAMODB_TABLE_NAME (nested: store.hsdoTable)',
            );
          }
          return await homes.release({ force: options.force === true }, inner);
        } finally {
          await homes.close();
        }
      });
      process.stdout.write(`released: ${slots} slots are HSDO's again\n`);
    });
}
