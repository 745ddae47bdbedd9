import type { Config } from '../config/schema.ts';
import type { Clock } from '../time/clock.ts';
import { clockExaminations } from './clocks.ts';
import { type ExamineOptions, examine } from './examine.ts';
import { fileExaminations } from './files.ts';
import type { Examination, Finding } from './finding.ts';
import { haproxyExaminations } from './haproxy.ts';
import { machineExaminations } from './machine.ts';
import { portExaminations } from './ports.ts';
import { sourceExaminations } from './sources.ts';
import { storeExaminations } from './store.ts';
import { upstreamExaminations } from './upstreams.ts';

/** What the process that does not work is to do; all false: everything is looked at. */
export interface DoctorRoles {
  readonly server: boolean;
  readonly client: boolean;
  readonly dns: boolean;
}

/** What there is to look at for these roles. Without a configuration it is the machine alone. */
export function examinationsOf(config: Config | undefined, roles: DoctorRoles, clock: Clock): readonly Examination[] {
  if (config === undefined) return machineExaminations(undefined);
  const isAny = !roles.server && !roles.client && !roles.dns;
  const isServer = isAny || roles.server;
  return [
    ...machineExaminations(config),
    ...fileExaminations(config),
    ...storeExaminations(config, { clock, isServer }),
    ...(isServer ? sourceExaminations(config, clock) : []),
    ...(isAny || roles.client ? haproxyExaminations(config) : []),
    ...portExaminations(config),
    ...(isAny || roles.dns ? upstreamExaminations(config) : []),
    ...clockExaminations(config, clock),
  ];
}

/**
 * Finds out why hsdo does not work, by reading alone: nothing is written, made or bound. Everything is looked at together,
 * so that it takes five seconds at most, and every failure is a finding.
 */
export function findings(
  config: Config | undefined,
  roles: DoctorRoles,
  options: ExamineOptions,
): Promise<readonly Finding[]> {
  return examine(examinationsOf(config, roles, options.clock), options);
}
