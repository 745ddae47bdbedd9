import type { Command } from 'commander';
import { showFault } from '../config/fault.ts';
import { defaultFile, loadConfig } from '../config/load.ts';
import { hideSecrets } from '../config/secret-places.ts';
import { checkAgentConfig } from './agent.ts';
import type { ConfigOptions } from './configuration.ts';
import { exitCodes } from './exit.ts';

/** `hsdo check-config`: every fault at once, or what the configuration says. */
export function addCheckConfig(program: Command): void {
  program
    .command('check-config')
    .description('check the configuration without starting anything; exit code 78 when something is wrong')
    .option('--print', 'print the whole configuration as it is understood, secrets hidden')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', '\nWith --agent it is the configuration of an agent that is checked.')
    .action((options: { print?: boolean; json?: boolean }, command: Command) => {
      const { config: file, agent } = command.optsWithGlobals<ConfigOptions & { readonly agent?: boolean }>();
      const { config, faults, notices, summary } = agent ? checkAgentConfig(file) : checkRolesConfig(file);
      if (options.json) {
        process.stdout.write(
          asJson({ ok: faults.length === 0, faults, notices, ...(options.print && config ? { config } : {}) }),
        );
      } else {
        for (const notice of notices) process.stderr.write(`note: ${notice}\n`);
        for (const fault of faults) process.stderr.write(`${showFault(fault)}\n`);
        if (config && options.print) process.stdout.write(asJson(config));
        else if (config) process.stdout.write(summary);
        else process.stderr.write(`${faults.length} fault${faults.length === 1 ? '' : 's'}\n`);
      }
      process.exitCode = faults.length === 0 ? exitCodes.ok : exitCodes.config;
    });
}

/** Secrets hide themselves, but for those in an extension's options: it is given them as plain values. */
function asJson(shown: unknown): string {
  return `${JSON.stringify(shown, withoutOptions, 2)}\n`;
}

function withoutOptions(this: { readonly kind?: unknown }, key: string, value: unknown): unknown {
  return key === 'options' && this.kind === 'module' ? hideSecrets(value) : value;
}

function checkRolesConfig(file: string | undefined) {
  const loaded = loadConfig({ file, env: process.env });
  const services = loaded.config?.services.map(({ name }) => name) ?? [];
  const summary = `${file ?? defaultFile} is fine: ${services.length} service${services.length === 1 ? '' : 's'} (${services.join(', ')}), store ${loaded.config?.store.kind}\n`;
  return { ...loaded, summary };
}
