import { z } from 'zod';
import { cloudflareSchema, createCloudflareSwitcher } from './cloudflare.ts';
import { createExecSwitcher, execSchema } from './exec.ts';
import { createGoogleCloudSwitcher, googleCloudSchema } from './google-cloud.ts';
import { createModuleSwitcher, moduleSchema } from './module.ts';
import type { SwitcherContext } from './options.ts';
import type { Switcher } from './switcher.ts';

/** Every kind of switcher with what makes one. */
const kinds = {
  cloudflare: createCloudflareSwitcher,
  exec: createExecSwitcher,
  'google-cloud': createGoogleCloudSwitcher,
  module: createModuleSwitcher,
} as const;

/** The `switch` of a service, told apart by `kind`. A new kind is its file, and a line here and above. */
export const switcherSchema = z.discriminatedUnion('kind', [
  cloudflareSchema,
  execSchema,
  googleCloudSchema,
  moduleSchema,
]);

export type SwitcherConfig = z.output<typeof switcherSchema>;

/**
 * Makes the switcher that a parsed entry describes. It touches nothing outside before its first call.
 *
 * @throws HsdoError `config` where the configuration and the service's domain do not fit together.
 */
export function createSwitcher(config: SwitcherConfig, context: SwitcherContext): Switcher {
  // The schema has matched the kind already; what the map cannot tell the compiler is that both belong together.
  const create = kinds[config.kind] as (config: SwitcherConfig, context: SwitcherContext) => Switcher;
  return create(config, context);
}

/** What exactly a service switches, for messages; no two services may have the same. `undefined` where nobody can tell. */
export function switchedPlace(config: SwitcherConfig, domain: string | undefined): string | undefined {
  if (config.kind === 'cloudflare') return `record ${(config.record ?? domain ?? '').toLowerCase()} at Cloudflare`;
  if (config.kind === 'google-cloud') return `key ${config.metadataKey} of project ${config.project}`;
  return undefined;
}
