import { checkNameOf, type DomainDetail, type DomainStatus, type ToldReport } from '../../agent/wire.ts';
import { type Slot, servingWeight } from '../../model/slot.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { type AgentChecked, agentPortOf } from './agents-tasks.ts';
import type { LastReport } from './agents-votes.ts';

/** What is known of one agent about one service. */
export interface AgentSight {
  readonly id: string;
  /** Wall-clock milliseconds. */
  readonly seenAt: number;
  readonly reports: readonly LastReport[];
}

const inUse = (snapshot: Snapshot | undefined): readonly Exclude<Slot, { state: 'free' }>[] =>
  (snapshot?.slots ?? []).flatMap((slot) => (slot.state === 'free' ? [] : [slot]));

const once = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

function fallbackOf({ service: { whenAllDown } }: AgentChecked): readonly string[] {
  return typeof whenAllDown === 'string' ? [] : whenAllDown.fallback;
}

const iso = (at: number): string => new Date(at).toISOString();

/** A domain in the list of all, as PyFailoverDNS tells it. Pure. */
export function domainStatus(
  checked: AgentChecked,
  snapshot: Snapshot | undefined,
  agents: readonly AgentSight[],
): DomainStatus {
  const seenAt = Math.max(...agents.map((agent) => agent.seenAt));
  return {
    domain: checked.domain,
    live_ips: once(
      inUse(snapshot)
        .filter((slot) => servingWeight(slot) > 0)
        .map(({ target }) => target.address),
    ),
    using_fallback: snapshot?.panic?.serves === 'fallback',
    fallback_ips: fallbackOf(checked),
    agents: agents.map((agent) => ({
      agent_id: agent.id,
      last_seen: iso(agent.seenAt),
      checked_ips: once(agent.reports.map(({ target }) => target.address)),
    })),
    last_updated: agents.length === 0 ? null : iso(seenAt),
  };
}

/** One domain in detail: by address and agent what was said last. Pure. */
export function domainDetail(
  checked: AgentChecked,
  snapshot: Snapshot | undefined,
  agents: readonly AgentSight[],
): DomainDetail {
  const { live_ips: live } = domainStatus(checked, snapshot, []);
  const told = agents.flatMap(({ id, reports }) =>
    // Two ports of one address share a place, since PyFailoverDNS has one for each address: the newer report stands there.
    [...reports].sort((one, other) => one.checkedAt - other.checkedAt).map((report) => toldOf(checked, id, report)),
  );
  const addresses = once(told.map((report) => report.target_ip)).map((address) => {
    const of = told.filter((report) => report.target_ip === address);
    return [address, Object.fromEntries(of.map((report) => [report.agent_id, report]))] as const;
  });
  return {
    domain: checked.domain,
    check_type: checked.service.check.kind,
    live: live.length > 0,
    fallback_ips: fallbackOf(checked),
    ip_checks: Object.fromEntries(addresses),
  };
}

function toldOf({ domain, service: { check } }: AgentChecked, id: string, report: LastReport): ToldReport {
  const { target, timestamp, status, latencyMs, reason, isExpired } = report;
  const port = agentPortOf(target, check) ?? null;
  return {
    agent_id: id,
    timestamp,
    check_name: checkNameOf(domain, target.address, port),
    domain,
    type: check.kind,
    target_ip: target.address,
    port,
    status,
    latency_ms: latencyMs,
    reason,
    expired: isExpired,
  };
}
