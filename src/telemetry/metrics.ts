import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { createCountedHistogram } from './counted-histogram.ts';
import { latencyBuckets } from './latency-buckets.ts';

/** Every metric of hsdo, in one list: the reference in the docs is checked against it. One per process. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram<L>({ name, help, labelNames: [...labelNames], buckets, registers });
  const counted = (name: string, help: string) => createCountedHistogram(registry, name, help, latencyBuckets);
  const fast = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

  return {
    registry,
    /** HSDO's own metric: present exactly while the slot is taken. */
    serverWeight: gauge('hsdo_server_weight', 'Weight of the target in a taken slot', [
      'id',
      'name',
      'ip',
      'asg',
      'service',
    ]),
    sourceLastSuccess: gauge('hsdo_discover_last_success_timestamp_seconds', 'When a source last answered', [
      'service',
      'source',
    ]),
    sourceTargets: gauge('hsdo_discover_targets', 'Targets that a source reported last', ['service', 'source']),
    sourceRefusals: gauge('hsdo_discover_refused', 'Values of a source that are not targets', ['service', 'source']),
    sourceErrors: counter('hsdo_discover_errors_total', 'Failed reads of a source, by kind of error', [
      'service',
      'source',
      'kind',
    ]),
    sourceSeconds: histogram('hsdo_discover_seconds', 'Time of one read of a source', ['service', 'source'], fast),
    storeLastSuccess: gauge('hsdo_store_last_success_timestamp_seconds', 'When the store last answered', ['role']),
    storeErrors: counter('hsdo_store_errors_total', 'Failed calls of the store, by kind of error', ['role', 'kind']),
    checkProbes: counter('hsdo_check_probes_total', 'Finished runs of a check, by what was found', ['service', 'code']),
    checkSeconds: histogram('hsdo_check_seconds', 'Time of one run of a check, tries included', ['service'], fast),
    checkStartDelay: histogram(
      'hsdo_check_start_delay_seconds',
      'By how much checks start later than planned',
      [],
      fast,
    ),
    checkRunning: gauge('hsdo_check_running', 'Checks that run at this moment'),
    observers: gauge('hsdo_observers', 'Registered observers of a service: fresh, stale (silent) or abstaining', [
      'service',
      'state',
    ]),
    serviceQuorum: gauge('hsdo_service_quorum', '1 while a majority of the observers of a service votes', ['service']),
    ballotLastSuccess: gauge(
      'hsdo_ballot_last_success_timestamp_seconds',
      'When this process last brought its votes or a sign of life into the store',
    ),
    judgeTargets: gauge('hsdo_judge_targets', 'Targets in slots by what the observers make of them', [
      'service',
      'verdict',
    ]),
    judgeInDoubt: gauge('hsdo_judge_in_doubt', 'Targets on which observers disagree or too many are silent', [
      'service',
    ]),
    judgePanic: gauge('hsdo_judge_panic', '1 while no target of the service is up', ['service']),
    slots: gauge('hsdo_assign_slots', 'Slots of a service by state', ['service', 'state']),
    unplaced: gauge('hsdo_assign_unplaced', 'Targets for which no slot is free', ['service']),
    guardHolding: gauge('hsdo_guard_holding', '1 while a too large removal waits', ['service']),
    roundSeconds: histogram('hsdo_round_seconds', 'Time of one leader round', ['service'], fast),
    published: counter('hsdo_publish_snapshots_total', 'Snapshots written', ['service']),
    revision: gauge('hsdo_snapshot_revision', 'Revision of the snapshot in use', ['service', 'role']),
    snapshotAge: gauge('hsdo_snapshot_confirmed_timestamp_seconds', 'When the snapshot was last known to be current', [
      'service',
      'role',
    ]),
    switches: counter('hsdo_switch_total', 'Switches of an entry point: switched, unavailable or rejected', [
      'service',
      'outcome',
    ]),
    switchAgrees: gauge(
      'hsdo_switch_agrees',
      '1 while the entry point is the active target, as last read; at the leader',
      ['service'],
    ),
    switchLastSuccess: gauge('hsdo_switch_last_success_timestamp_seconds', 'When a switcher last did as it was asked', [
      'service',
    ]),
    notices: counter('hsdo_notices_total', 'Attempts to tell a notice: sent, unavailable or rejected', [
      'notifier',
      'outcome',
    ]),
    noticesWaiting: gauge('hsdo_notices_waiting', 'Events that a notifier has not told yet; at the leader', [
      'notifier',
    ]),
    configReloadSuccessful: gauge(
      'hsdo_config_last_reload_successful',
      '0 while the configuration on disk was refused',
    ),
    configReloadSuccess: gauge(
      'hsdo_config_last_reload_success_timestamp_seconds',
      'When the configuration in use was read',
    ),
    isLeader: gauge('hsdo_leader', '1 while this server leads'),
    epoch: gauge('hsdo_leader_epoch', 'Epoch of the last lease seen'),
    haproxyUp: gauge('hsdo_haproxy_up', '1 while the Runtime API answers', ['socket']),
    haproxyLastSuccess: gauge(
      'hsdo_haproxy_last_success_timestamp_seconds',
      'When a HAProxy was last found or brought in order',
      ['socket'],
    ),
    haproxyCommands: counter('hsdo_haproxy_commands_total', 'Changing commands sent', ['socket', 'backend']),
    haproxyErrors: counter('hsdo_haproxy_errors_total', 'Failed reconciles, by kind of error', ['socket', 'kind']),
    haproxySeconds: histogram('hsdo_haproxy_reconcile_seconds', 'Time of one reconcile', ['socket'], fast),
    haproxyDrift: gauge('hsdo_haproxy_drift', 'Slots that differ from the snapshot after the last reconcile', [
      'socket',
      'backend',
    ]),
    haproxyManual: gauge('hsdo_haproxy_manual', 'Slots that an operator holds in maint or drain by hand', [
      'socket',
      'backend',
    ]),
    haproxyMissing: gauge('hsdo_haproxy_missing_slots', 'Slots of the list that the server-template does not have', [
      'socket',
      'backend',
    ]),
    dnsUp: gauge('hsdo_dns_up', '1 while DNS is answered at an address', ['address', 'transport']),
    dnsQueries: counter('hsdo_dns_queries_total', 'Questions by type, code of the answer (or dropped) and transport', [
      'type',
      'code',
      'transport',
    ]),
    dnsSeconds: counted(
      'hsdo_dns_seconds',
      'Time to an answer, of every forwarded question and of one in 64 others, which then counts for 64',
    ),
    dnsLimited: counter('hsdo_dns_limited_total', 'Answers held back as too many equal ones, by what became of them', [
      'outcome',
    ]),
    dnsCache: counter('hsdo_dns_cache_total', 'Forwarded questions by what the cache had: hit, miss or stale', [
      'outcome',
    ]),
    dnsUpstream: counter('hsdo_dns_upstream_total', 'Questions to other servers, by what became of them', [
      'server',
      'outcome',
    ]),
    dnsUpstreamSeconds: counted('hsdo_dns_upstream_seconds', 'Time until another server answered'),
    dnsTcpConnections: gauge('hsdo_dns_tcp_connections', 'Open TCP connections of those who ask'),
    dnsCacheBytes: gauge('hsdo_dns_cache_bytes', 'Bytes that remembered answers of other servers take, about'),
    dnsNames: gauge('hsdo_dns_names', 'Names that DNS answers for'),
    agentReports: counter('hsdo_agent_reports_total', 'Reports of this agent, by what became of them', [
      'server',
      'outcome',
    ]),
    agentUnsent: gauge('hsdo_agent_unsent', 'Reports of this agent that wait for a server to take them', ['server']),
    agentTasks: gauge('hsdo_agent_tasks', 'Tasks of a server that this agent does', ['server']),
    agentClockOffset: gauge(
      'hsdo_agent_clock_offset_seconds',
      'By how much the clock of this agent is ahead of that of a server',
      ['server'],
    ),
    agents: gauge('hsdo_agents', 'Agents whose reports count at this server'),
    agentApiRequests: counter('hsdo_agent_api_requests_total', 'Requests of agents by path and code of the answer', [
      'path',
      'code',
    ]),
    agentApiReports: counter('hsdo_agent_api_reports_total', 'Reports of agents by what became of them', ['outcome']),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
