import { checkNameOf, type Task } from '../../agent/wire.ts';
import type { CheckConfig } from '../../check/health-checks.ts';
import type { ServiceAgents } from '../../config/agents.ts';
import type { ServiceConfig } from '../../config/schema.ts';
import type { Target } from '../../model/target.ts';
import type { Known } from '../round.ts';

/** A service that agents check, and where its targets come from. */
export interface AgentChecked {
  readonly service: ServiceConfig & { readonly check: CheckConfig; readonly agents: ServiceAgents };
  /** The name under which agents know it. */
  readonly domain: string;
  /** What its sources report at the moment. */
  readonly known: () => Pick<Known, 'targets' | 'complete'>;
}

const standardPorts: Readonly<Record<string, number>> = { http: 80, https: 443, postgres: 5432 };

/** The port by which agents name a target: its own, else the check's, else the usual one of what is checked. */
export function agentPortOf({ port }: Target, check: CheckConfig): number | undefined {
  const ofCheck = 'port' in check ? check.port : undefined;
  return port ?? ofCheck ?? standardPorts[check.kind === 'http' ? check.scheme : check.kind];
}

/** Address and port as one text. */
export const placeOf = (address: string, port: number | null | undefined): string =>
  `${address.toLowerCase()}|${port ?? ''}`;

/**
 * What agents are told to do about one target. PyFailoverDNS's read where and how often; ours read `check` too, all that
 * the configuration says, cut to this one target. It holds no secrets: `config/agents-faults.ts` sees to that.
 */
export function taskOf({ service, domain }: AgentChecked, target: Target): Task {
  const { check, agents } = service;
  const port = agentPortOf(target, check) ?? null;
  const intervalSeconds = agents.intervalSeconds ?? check.intervalSeconds;
  const timeoutSeconds = Math.max(0.05, agents.timeoutSeconds ?? check.timeoutSeconds);
  const own = {
    ...check,
    intervalSeconds,
    timeoutSeconds,
    ...('targets' in check ? { targets: targetsFor(check.targets, target) } : {}),
    // Agents know the service by some name always; what is not its domain is nothing to say as Host.
    ...(check.kind === 'http' && service.domain === undefined ? { forwardDomain: false } : {}),
  };
  return {
    check_name: checkNameOf(domain, target.address, port),
    domain,
    target_ip: target.address,
    port,
    type: check.kind,
    timeout_sec: timeoutSeconds,
    interval_sec: Math.max(0.05, intervalSeconds),
    check: JSON.parse(JSON.stringify(own)) as Record<string, unknown>,
  };
}

/** What a check says of one target alone, found as the check finds it; agents know its address and neither id nor name. */
function targetsFor(targets: Readonly<Record<string, unknown>>, { id, name, address }: Target) {
  const key = [id, name, address].find((one) => Object.hasOwn(targets, one));
  return key === undefined ? {} : { [address]: targets[key] };
}
