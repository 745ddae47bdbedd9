import { showFault } from '../config/fault.ts';
import { loadConfig } from '../config/load.ts';
import type { Roles } from '../config/rules.ts';
import type { Config } from '../config/schema.ts';
import { Exit, exitCodes } from './exit.ts';

/** Options that every command which reads the configuration has. */
export interface ConfigOptions {
  readonly config?: string;
}

/** The configuration, or the end of the process with every fault at once and exit code 78. */
export function configuration(options: ConfigOptions, roles: Roles = {}): Config {
  const loaded = loadConfig({ file: options.config, env: process.env, roles });
  for (const notice of loaded.notices) process.stderr.write(`note: ${notice}\n`);
  if (loaded.config) return loaded.config;
  throw new Exit(exitCodes.config, loaded.faults.map(showFault).join('\n'));
}

/** Reads the configuration again, as `configuration` did it, while the process runs. */
export function loadAgain(
  options: ConfigOptions,
  roles: Roles,
): { readonly config: Config } | { readonly faults: readonly string[] } {
  const { config, faults } = loadConfig({ file: options.config, env: process.env, roles });
  return config ? { config } : { faults: faults.map(showFault) };
}
