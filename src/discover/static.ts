import { z } from 'zod';
import { readEntry } from './entry.ts';
import type { DiscoverySource } from './source.ts';

/** Targets written down in the configuration. Entries are judged one by one when they are read, not by this schema. */
export const staticSchema = z.strictObject({ kind: z.literal('static'), targets: z.array(z.unknown()) });

export function createStaticSource(config: z.output<typeof staticSchema>): DiscoverySource {
  const sightings = config.targets.map((entry) => readEntry(entry, 'static'));
  return { discover: () => Promise.resolve(sightings) };
}
