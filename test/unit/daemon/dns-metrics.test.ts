import { describe, expect, it } from 'vitest';
import { exportDnsAddresses, exportDnsCounts } from '../../../src/daemon/dns/dns-metrics.ts';
import { createCounts } from '../../../src/deliver/dns/counts.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

const present = { tcpConnections: 3, cacheBytes: 4096, names: 12 };

async function linesOf(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith('hsdo_dns_'));
}

describe('the metrics of DNS', () => {
  it('add up what the thread reports', async () => {
    const metrics = createMetrics();
    const counts = createCounts();
    for (let report = 0; report < 2; report += 1) {
      counts.answered(28, 3, true);
      counts.unanswered(1, false);
      counts.cache('stale');
      counts.limited('truncated');
      counts.upstream('[2001:db8::1]:53', 'answer', 0.25);
      exportDnsCounts(metrics, counts.take({ ...present, names: 12 + report }));
    }
    expect(await linesOf(metrics)).toEqual(
      expect.arrayContaining([
        'hsdo_dns_queries_total{type="AAAA",code="NXDOMAIN",transport="tcp"} 2',
        'hsdo_dns_queries_total{type="A",code="dropped",transport="udp"} 2',
        'hsdo_dns_cache_total{outcome="stale"} 2',
        'hsdo_dns_limited_total{outcome="truncated"} 2',
        'hsdo_dns_upstream_total{server="[2001:db8::1]:53",outcome="answer"} 2',
        'hsdo_dns_upstream_seconds_bucket{le="0.1"} 0',
        'hsdo_dns_upstream_seconds_bucket{le="0.5"} 2',
        'hsdo_dns_upstream_seconds_sum 0.5',
        'hsdo_dns_tcp_connections 3',
        'hsdo_dns_cache_bytes 4096',
        'hsdo_dns_names 13',
      ]),
    );
  });

  it('show times as Prometheus wants them: buckets hold all that is below them, the last one all', async () => {
    const metrics = createMetrics();
    const counts = createCounts();
    counts.took(0.000_001, 16);
    counts.took(0.002, 1);
    counts.took(9, 1);
    exportDnsCounts(metrics, counts.take(present));
    const lines = (await linesOf(metrics)).filter((line) => line.startsWith('hsdo_dns_seconds'));
    expect(lines[0]).toBe('hsdo_dns_seconds_bucket{le="0.00001"} 16');
    expect(lines).toContain('hsdo_dns_seconds_bucket{le="0.005"} 17');
    expect(lines.slice(-4)).toEqual([
      'hsdo_dns_seconds_bucket{le="5"} 17',
      'hsdo_dns_seconds_bucket{le="+Inf"} 18',
      'hsdo_dns_seconds_sum 9.002016',
      'hsdo_dns_seconds_count 18',
    ]);
  });

  it('show where DNS is answered, and forget where it is no more', async () => {
    const metrics = createMetrics();
    exportDnsAddresses(metrics, ['udp 127.0.0.1:8053', 'tcp 127.0.0.1:8053']);
    exportDnsAddresses(metrics, ['udp [::1]:8053']);
    const lines = (await linesOf(metrics)).filter((line) => line.startsWith('hsdo_dns_up{'));
    expect(lines).toEqual(['hsdo_dns_up{address="[::1]:8053",transport="udp"} 1']);
  });
});
