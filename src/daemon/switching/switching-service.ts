import type { ServiceConfig } from '../../config/schema.ts';
import { createSwitcher } from '../../deliver/switch/switchers.ts';
import type { Lease } from '../../publish/lease.ts';
import type { ProcessParts } from '../process.ts';
import { createSwitching, type Switching } from './switching.ts';

/** The switching that a service's configuration asks for; `undefined` where it asks for none. */
export function createServiceSwitching(
  { config, clock, log, metrics }: ProcessParts,
  service: ServiceConfig,
  lease: Pick<Lease, 'term'>,
): Switching | undefined {
  const { name, domain, switch: switcher } = service;
  if (switcher === undefined) return undefined;
  const { kind, reconcileSeconds, delaySeconds, timeoutSeconds } = switcher;
  return createSwitching({
    service: name,
    kind,
    rules: {
      reconcileMs: reconcileSeconds * 1000,
      freshMs: config.intervalSeconds * 1000,
      delayMs: delaySeconds * 1000,
    },
    timeoutMs: timeoutSeconds * 1000,
    create: () => createSwitcher(switcher, { service: name, domain, clock }),
    lease,
    clock,
    log,
    metrics,
  });
}
