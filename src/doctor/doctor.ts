import type { AgentConfig } from '../agent/config.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../time/clock.ts';
import { agentExaminations } from './agent.ts';
import { certificateExaminations } from './certificates.ts';
import { checkExaminations } from './checks.ts';
import { clockExaminations } from './clocks.ts';
import { fileExaminations } from './files.ts';
import type { Examination } from './finding.ts';
import { haproxyExaminations } from './haproxy.ts';
import { machineExaminations } from './machine.ts';
import { notifyExaminations } from './notifiers.ts';
import { agentPlacesOf, placesOf, portExaminations } from './ports.ts';
import { sourceExaminations } from './sources.ts';
import { storeExaminations } from './store.ts';
import { switchExaminations } from './switchers.ts';
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
    ...(isServer
      ? [...checkExaminations(config), ...switchExaminations(config, clock), ...notifyExaminations(config, clock)]
      : []),
    ...(isAny || roles.client ? haproxyExaminations(config) : []),
    ...portExaminations(placesOf(config)),
    ...certificateExaminations({ api: config.api, exporter: config.exporter }, clock),
    ...(isAny || roles.dns ? upstreamExaminations(config) : []),
    ...clockExaminations(config, clock),
  ];
}

/** What there is to look at for an agent. Without a configuration it is the machine alone. */
export function agentExaminationsOf(config: AgentConfig | undefined, clock: Clock): readonly Examination[] {
  if (config === undefined) return machineExaminations(undefined);
  return [
    ...machineExaminations(config),
    ...agentExaminations(config, clock),
    ...portExaminations(agentPlacesOf(config)),
    ...certificateExaminations({ exporter: config.exporter }, clock),
  ];
}
