import type { DnsCounts } from '../../deliver/dns/protocol.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

/** Adds what the thread that answers has counted since its last report. */
export function exportDnsCounts(metrics: Metrics, counts: DnsCounts): void {
  for (const [key, count] of Object.entries(counts.queries)) {
    const [type = '', code = '', transport = ''] = key.split(' ');
    metrics.dnsQueries.inc({ type, code, transport }, count);
  }
  for (const [key, count] of Object.entries(counts.upstream)) {
    const [server = '', outcome = ''] = key.split(' ');
    metrics.dnsUpstream.inc({ server, outcome }, count);
  }
  for (const [outcome, count] of Object.entries(counts.cache)) metrics.dnsCache.inc({ outcome }, count);
  for (const [outcome, count] of Object.entries(counts.limited)) metrics.dnsLimited.inc({ outcome }, count);
  metrics.dnsSeconds.add(counts.latency, counts.latencySumSeconds);
  metrics.dnsUpstreamSeconds.add(counts.upstreamLatency, counts.upstreamSumSeconds);
  metrics.dnsTcpConnections.set(counts.tcpConnections);
  metrics.dnsCacheBytes.set(counts.cacheBytes);
  metrics.dnsNames.set(counts.names);
}

/** Shows where DNS is answered: addresses such as `udp 127.0.0.1:8053`, of which those of before are gone. */
export function exportDnsAddresses(metrics: Metrics, addresses: readonly string[]): void {
  metrics.dnsUp.reset();
  for (const text of addresses) {
    const [transport = '', address = ''] = text.split(' ');
    metrics.dnsUp.set({ address, transport }, 1);
  }
}
