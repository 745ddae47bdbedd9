import type { Probe } from '../model/probe.ts';
import type { Unsent } from './outbox.ts';
import type { AgentReport, Task } from './wire.ts';

/**
 * What a probe has to say to the server that wanted it; nothing where the question could not be asked, since silence is
 * the truth then. All fields of PyFailoverDNS are there, also those that are null: its master wants them. `checkedAt`:
 * milliseconds since 1970.
 */
export function reportOf(agentId: string, task: Task, probe: Probe, checkedAt: number): AgentReport | undefined {
  if (probe.result === 'unknown') return undefined;
  return {
    agent_id: agentId,
    // As Python writes it: its fromisoformat knew no Z before 3.11.
    timestamp: new Date(checkedAt).toISOString().replace('Z', '+00:00'),
    check_name: task.check_name,
    domain: task.domain,
    type: task.type,
    target_ip: task.target_ip,
    port: task.port ?? null,
    status: probe.result === 'up' ? 'ok' : 'fail',
    latency_ms: probe.totalMs ?? null,
    reason: probe.message,
    code: probe.code,
    ...(probe.connectMs === undefined ? {} : { connect_ms: probe.connectMs }),
    ...(probe.role === undefined ? {} : { role: probe.role }),
    ...(probe.timeline === undefined ? {} : { timeline: probe.timeline }),
  };
}

/** The report as it leaves at `now`, an instant on the clock of `checkedAt`. */
export function jsonOf({ report, checkedAt }: Unsent, now: number): string {
  return JSON.stringify({ ...report, age_sec: Math.round(Math.max(0, now - checkedAt)) / 1000 });
}
