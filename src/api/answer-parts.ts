import { z } from 'zod';

// What the answers of the API have in common.

export const instant = z
  .number()
  .min(0)
  .describe('milliseconds since 1970-01-01T00:00:00Z, by the clock of whoever noted it');
export const count = z.int().min(0);
export const milliseconds = z.number().min(0);
/** What a source or a store has that is not used, and why. */
export const named = z.object({ name: z.string(), reason: z.string() });
