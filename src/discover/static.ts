import { z } from 'zod';
import { accept } from './accept.ts';
import { readEntry } from './entry.ts';
import type { DiscoverySource } from './source.ts';

const group = 'static';

/**
 * An entry as the configuration may have it. Other sources report what they please, and a bad entry costs itself alone; this
 * one was written by whoever wrote the rest of the file, and is a fault of that.
 */
const entrySchema = z.unknown().superRefine((entry, context) => {
  for (const { reason } of accept([readEntry(entry, group)]).refusals)
    context.addIssue({ code: 'custom', message: reason });
});

/** Targets written down in the configuration. */
export const staticSchema = z.strictObject({ kind: z.literal('static'), targets: z.array(entrySchema) });

export function createStaticSource(config: z.output<typeof staticSchema>): DiscoverySource {
  const sightings = config.targets.map((entry) => readEntry(entry, group));
  return { discover: () => Promise.resolve(sightings) };
}
