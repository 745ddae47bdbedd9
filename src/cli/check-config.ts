import type { Command } from 'commander';
import { showFault } from '../config/fault.ts';
import { defaultFile, loadConfig } from '../config/load.ts';
import type { ConfigOptions } from './configuration.ts';
import { exitCodes } from './exit.ts';

/** `hsdo check-config`: every fault at once, or what the configuration says. */
export function addCheckConfig(program: Command): void {
  program
    .command('check-config')
    .description('check the configuration without starting anything; exit code 78 when something is wrong')
    .option('--print', 'print the whole configuration as it is understood, secrets hidden')
    .option('--json', 'print the outcome as JSON')
    .action((options: { print?: boolean; json?: boolean }, command: Command) => {
      const { config: file } = command.optsWithGlobals<ConfigOptions>();
      const { config, faults, notices } = loadConfig({ file, env: process.env });
      if (options.json) {
        process.stdout.write(
          `${JSON.stringify({ ok: faults.length === 0, faults, notices, ...(options.print && config ? { config } : {}) }, null, 2)}\n`,
        );
      } else {
        for (const notice of notices) process.stderr.write(`note: ${notice}\n`);
        for (const fault of faults) process.stderr.write(`${showFault(fault)}\n`);
        if (config && options.print) process.stdout.write(`${JSON.stringify(config, null, 2)}\n`);
        else if (config)
          process.stdout.write(
            summary(
              file ?? defaultFile,
              config.services.map(({ name }) => name),
              config.store.kind,
            ),
          );
        else process.stderr.write(`${faults.length} fault${faults.length === 1 ? '' : 's'}\n`);
      }
      process.exitCode = faults.length === 0 ? exitCodes.ok : exitCodes.config;
    });
}

function summary(file: string, services: readonly string[], store: string): string {
  return `${file} is fine: ${services.length} service${services.length === 1 ? '' : 's'} (${services.join(', ')}), store ${store}\n`;
}
