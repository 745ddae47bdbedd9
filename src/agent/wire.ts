import { isIP } from 'node:net';
import { z } from 'zod';
import { agentId } from '../config/agents.ts';
import { probeCodes } from '../model/probe.ts';

/**
 * What agents and servers say to each other, as PyFailoverDNS has it (its `main.py`, commit 07471c1, and `agent.py`, commit
 * b7754bd): its agents work against our servers and our agents against its master. Fields that it does not know it ignores;
 * those of ours are marked, and absent from its messages.
 */

/** Where tasks are asked for and reports are sent to. */
export const agentPaths = { tasks: '/api/v1/tasks', report: '/api/v1/report', status: '/api/v1/status' } as const;
/** Where tasks with one of these tags are asked for. */
export const tasksPath = (tags: readonly string[]): string =>
  `${agentPaths.tasks}?tags=${tags.map(encodeURIComponent).join(',')}`;
/** The header with the token. */
export const tokenHeader = 'X-API-Key';

const name = z.string().min(1).max(255);
const address = z.string().refine((text) => isIP(text) !== 0 && !text.includes('%'), 'expected an IP address');
const port = z.int().min(1).max(65_535);
const milliseconds = z.number().min(0).max(86_400_000);

/** `domain:ip:port`, with `icmp` in the place of a port that is not there. */
export function checkNameOf(domain: string, ip: string, port: number | null | undefined): string {
  return `${domain}:${ip}:${port ?? 'icmp'}`;
}

/** One thing to check, again and again. */
export const taskSchema = z.object({
  check_name: z.string().min(1).max(600),
  domain: name,
  target_ip: address,
  port: port.nullish(),
  /** Kind of the check. PyFailoverDNS's agents connect by TCP, whatever stands here. */
  type: z.string().min(1).max(40),
  timeout_sec: z.number().min(0.05).max(3600),
  interval_sec: z.number().min(0.05).max(86_400),
  /** Ours: the options of the check, without secrets, as they stand in the configuration. */
  check: z.record(z.string(), z.unknown()).exactOptional(),
});
export type Task = z.output<typeof taskSchema>;

export const tasksSchema = z.object({ tasks: z.array(z.unknown()).max(100_000) });

/** What one check of one target came to. */
export const reportSchema = z.object({
  agent_id: agentId,
  /** When it was checked, by the agent's clock. Without a zone it means UTC. */
  timestamp: z.iso.datetime({ offset: true, local: true }),
  check_name: z.string().min(1).max(600),
  domain: name,
  type: z.string().min(1).max(40),
  target_ip: address,
  port: port.nullish(),
  status: z.enum(['ok', 'fail']),
  latency_ms: milliseconds.nullish(),
  reason: z.string().max(1000).nullish(),
  /** Ours: for how long the report has waited to be sent, seconds; by a clock that never jumps. */
  age_sec: z.number().min(0).max(86_400).exactOptional(),
  /** Ours: why it came out so, in the codes of model/probe.ts. */
  code: z.enum(probeCodes).exactOptional(),
  connect_ms: milliseconds.exactOptional(),
  role: z.enum(['primary', 'replica']).exactOptional(),
  timeline: z.int().min(0).exactOptional(),
});
export type AgentReport = z.output<typeof reportSchema>;

/** The instant of a report, milliseconds since 1970. */
export function instantOf({ timestamp }: Pick<AgentReport, 'timestamp'>): number {
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(timestamp) ? timestamp : `${timestamp}Z`);
}

/** The answer to reports: how many were taken, and what was wrong with the others. */
export const receiptSchema = z.object({
  status: z.string(),
  /** Ours. */
  accepted: z.int().min(0).exactOptional(),
  /** Ours: by its place in the list. */
  refused: z.array(z.object({ index: z.int(), code: z.int(), error: z.string() })).exactOptional(),
  /** Ours: the server's clock, seconds since 1970, by which an agent sees how far its own one is off. */
  server_time: z.number().exactOptional(),
});
export type Receipt = z.output<typeof receiptSchema>;

/** A domain in the list of all. */
export interface DomainStatus {
  readonly domain: string;
  readonly live_ips: readonly string[];
  readonly using_fallback: boolean;
  readonly fallback_ips: readonly string[];
  readonly agents: readonly {
    readonly agent_id: string;
    /** ISO 8601. */
    readonly last_seen: string;
    readonly checked_ips: readonly string[];
  }[];
  readonly last_updated: string | null;
}

/** One domain in detail. */
export interface DomainDetail {
  readonly domain: string;
  readonly check_type: string;
  readonly live: boolean;
  readonly fallback_ips: readonly string[];
  /** By address and by agent, what it reported last. An address of which nobody has reported is not there. */
  readonly ip_checks: Readonly<Record<string, Readonly<Record<string, ToldReport>>>>;
}

/** A report as others are told of it. */
export interface ToldReport
  extends Pick<AgentReport, 'agent_id' | 'timestamp' | 'check_name' | 'domain' | 'type' | 'target_ip' | 'status'> {
  readonly port: number | null;
  readonly latency_ms: number | null;
  readonly reason: string | null;
  /** Ours: it is older than reports count here. */
  readonly expired: boolean;
}
