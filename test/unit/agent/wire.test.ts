import { describe, expect, it } from 'vitest';
import { checkNameOf, instantOf, reportSchema, taskSchema } from '../../../src/agent/wire.ts';

const report = {
  agent_id: 'berlin-1',
  timestamp: '2026-03-01T10:00:00.123456+00:00',
  check_name: 'web.failover:10.0.0.1:443',
  domain: 'web.failover',
  type: 'tcp',
  target_ip: '10.0.0.1',
  port: 443,
  status: 'ok',
  latency_ms: null,
  reason: null,
};

describe('what agents and servers say to each other', () => {
  it('names a check by domain, address and port, and one without a port by icmp', () => {
    expect(checkNameOf('web.failover', '10.0.0.1', 443)).toBe('web.failover:10.0.0.1:443');
    expect(checkNameOf('web.failover', '10.0.0.1', null)).toBe('web.failover:10.0.0.1:icmp');
  });

  it('takes the report that an agent of PyFailoverDNS sends, with Python’s microseconds', () => {
    expect(reportSchema.parse(report)).toEqual(report);
    expect(instantOf(report)).toBe(Date.UTC(2026, 2, 1, 10, 0, 0, 123));
  });

  it.each([
    ['2026-03-01T10:00:00', '2026-03-01T10:00:00Z'],
    ['2026-03-01T10:00:00.5', '2026-03-01T10:00:00.500Z'],
    ['2026-03-01T12:00:00+02:00', '2026-03-01T10:00:00Z'],
    ['2026-03-01T10:00:00Z', '2026-03-01T10:00:00Z'],
  ])('reads the instant %s as %s, UTC where no zone is said', (timestamp, same) => {
    expect(reportSchema.shape.timestamp.safeParse(timestamp).success).toBe(true);
    expect(instantOf({ timestamp })).toBe(Date.parse(same));
  });

  it('refuses what is no report', () => {
    const wrong: Record<string, unknown>[] = [
      { status: 'perhaps' },
      { target_ip: '10.0.0.256' },
      { target_ip: 'fe80::1%eth0' },
      { port: 0 },
      { port: '443' },
      { timestamp: 'yesterday' },
      { agent_id: '' },
      { agent_id: 'two words' },
      { latency_ms: -1 },
      { latency_ms: Number.NaN },
      { reason: 'x'.repeat(1001) },
      { age_sec: -1 },
    ];
    for (const change of wrong) expect(reportSchema.safeParse({ ...report, ...change }).success).toBe(false);
  });

  it('takes a task with fields that it does not know, and none with an interval of nothing', () => {
    const { check_name, domain, type, target_ip, port } = report;
    const task = { check_name, domain, type, target_ip, port, timeout_sec: 5, interval_sec: 30 };
    expect(taskSchema.parse({ ...task, region: 'north' })).toEqual(task);
    expect(taskSchema.safeParse({ ...task, interval_sec: 0 }).success).toBe(false);
  });
});
