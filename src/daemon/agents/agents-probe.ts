import type { AgentReport } from '../../agent/wire.ts';
import { failed, type Probe, type ProbeCode, passed } from '../../model/probe.ts';

/** Kinds of check whose targets have roles. What an agent says of roles elsewhere is nothing, and must do nothing. */
const kindsWithRoles: readonly string[] = ['postgres', 'redis-sentinel'];

/** What PyFailoverDNS's agents, which know no codes, write as reason: the words of Python's errors. */
const reasons: readonly (readonly [RegExp, ProbeCode])[] = [
  [/timed? ?out/i, 'timeout'],
  [/refused/i, 'refused'],
  [/unreachable|no route/i, 'unreachable'],
  [/reset|broken pipe/i, 'reset'],
  [/name or service|resolution|resolve/i, 'dns'],
  [/certificate|ssl|tls/i, 'tls'],
];

/** The probe that an agent reports, for a service whose check is of this kind. */
export function probeOfReport(report: AgentReport, kind: string): Probe {
  const { status, latency_ms: totalMs, connect_ms: connectMs, role, timeline } = report;
  const facts = {
    ...(typeof totalMs === 'number' ? { totalMs } : {}),
    ...(connectMs === undefined ? {} : { connectMs }),
    ...(kindsWithRoles.includes(kind) && role !== undefined ? { role } : {}),
    ...(kindsWithRoles.includes(kind) && timeline !== undefined ? { timeline } : {}),
  };
  const reason = (report.reason ?? '').replaceAll(/\p{Cc}+/gu, ' ');
  if (status === 'ok') return passed(reason, facts);
  const code = report.code === undefined || report.code === 'ok' ? codeOf(reason) : report.code;
  return failed(code, reason, facts);
}

/** `error` where the words say nothing: it failed, and nobody says why. */
const codeOf = (reason: string): ProbeCode => reasons.find(([words]) => words.test(reason))?.[1] ?? 'error';
