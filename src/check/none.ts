import { z } from 'zod';
import { passed } from '../model/probe.ts';
import { type CheckContext, commonOptions, type HealthCheck } from './health-check.ts';

export const noneSchema = z.strictObject({ kind: z.literal('none'), ...commonOptions });

/** Asks nobody: every target is up (HAnoProxY's `CheckForHealth: false`). */
export function createNoneCheck(_config: z.output<typeof noneSchema>, _context: CheckContext): HealthCheck {
  return { check: () => Promise.resolve(passed('Not checked, as the configuration wants it')) };
}
