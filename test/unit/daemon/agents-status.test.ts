import { describe, expect, it } from 'vitest';
import { domainDetail } from '../../../src/daemon/agents/agents-status.ts';
import type { LastReport } from '../../../src/daemon/agents/agents-votes.ts';
import type { Target } from '../../../src/model/target.ts';
import { rosterOf, targetsNamed } from '../../fixtures/agent-desk.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const [a, b] = targetsNamed('ab') as [Target, Target];
const { checked } = rosterOf(createFakeClock()).roster;
const last = (target: Target, status: 'ok' | 'fail', checkedAt = 0): LastReport => ({
  target,
  timestamp: '2026-11-21T18:34:58.373413+00:00',
  checkedAt,
  status,
  latencyMs: status === 'ok' ? 0.2 : null,
  reason: status === 'ok' ? null : 'connection refused',
  isExpired: false,
});
const detailOf = (reports: Readonly<Record<string, readonly LastReport[]>>) =>
  domainDetail(
    checked,
    undefined,
    Object.entries(reports).map(([id, some]) => ({ id, seenAt: 0, reports: some })),
  ).ip_checks;

describe('a domain in detail', () => {
  it('has by address and agent the report as it came, as the master of PyFailoverDNS tells it', () => {
    const told = detailOf({ 'test-main': [last(a, 'ok'), last(b, 'fail')], ours: [last(b, 'ok')] });
    expect(told[b.address]?.['test-main']).toEqual({
      agent_id: 'test-main',
      timestamp: '2026-11-21T18:34:58.373413+00:00',
      check_name: `web:${b.address}:443`,
      domain: 'web',
      type: 'tcp',
      target_ip: b.address,
      port: 443,
      status: 'fail',
      latency_ms: null,
      reason: 'connection refused',
      expired: false,
    });
    expect(Object.keys(told[b.address] ?? {})).toEqual(['test-main', 'ours']);
    expect(Object.keys(told[a.address] ?? {})).toEqual(['test-main']);
    expect(detailOf({})).toEqual({});
  });

  it('has the newer report where two targets share an address', () => {
    const other = { ...a, id: 'other', port: 444 };
    for (const reports of [
      [last(a, 'ok', 2), last(other, 'fail', 1)],
      [last(other, 'fail', 1), last(a, 'ok', 2)],
    ])
      expect(detailOf({ one: reports })[a.address]?.['one']).toMatchObject({ port: 443, status: 'ok' });
  });
});
