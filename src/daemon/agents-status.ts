import type { DomainDetail, DomainStatus } from '../agent/wire.ts';
import { type Slot, servingWeight } from '../model/slot.ts';
import type { Snapshot } from '../model/snapshot.ts';
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

type IpCheck = DomainDetail['ip_checks'][string];

/** One domain in detail: by address the verdict, and what each agent said last. Pure. */
export function domainDetail(
  checked: AgentChecked,
  snapshot: Snapshot | undefined,
  agents: readonly AgentSight[],
): DomainDetail {
  const { check } = checked.service;
  const checks = new Map<string, IpCheck>();
  for (const slot of inUse(snapshot)) {
    const { target } = slot;
    const isUp = slot.state === 'taken' && slot.health?.verdict === 'up';
    const said = agents.flatMap(({ id, reports }) =>
      reports
        .filter((report) => report.target.id === target.id)
        .map(({ status, timestamp, latencyMs, isExpired }) => {
          return { agent_id: id, status, timestamp, latency_ms: latencyMs, expired: isExpired };
        }),
    );
    // Two ports of one address share an entry, since PyFailoverDNS has one for each address.
    const other = checks.get(target.address);
    checks.set(target.address, {
      status: isUp || other?.status === 'ok' ? 'ok' : 'fail',
      port: other?.port ?? agentPortOf(target, check) ?? null,
      agents: [...(other?.agents ?? []), ...said],
    });
  }
  const { live_ips: live } = domainStatus(checked, snapshot, []);
  return {
    domain: checked.domain,
    check_type: check.kind,
    live: live.length > 0,
    fallback_ips: fallbackOf(checked),
    ip_checks: Object.fromEntries(checks),
  };
}
