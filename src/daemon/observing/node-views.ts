import type { ClusterView, NodeView } from '../../api/cluster-view.ts';
import type { Config } from '../../config/schema.ts';
import type { Problem } from '../../model/problem.ts';
import type { LeaseView } from '../../publish/lease.ts';
import { version } from '../../telemetry/version.ts';
import type { Clock } from '../../time/clock.ts';
import type { StoreHealth } from '../store-health.ts';
import type { Electorate } from './electorate.ts';

/** The servers and agents that are registered; where there is no place to register, the asked server alone. */
export function nodeViews({
  config,
  lease,
  electorate,
}: {
  readonly config: Pick<Config, 'cluster'>;
  readonly lease: LeaseView;
  readonly electorate: Pick<Electorate, 'observers' | 'silentMs'> | undefined;
}): readonly NodeView[] {
  const isLeader = (id: string) => lease.holder === id;
  if (electorate === undefined) {
    const { nodeId: id } = config.cluster;
    return [{ id, kind: 'server', isLeader: isLeader(id), isHealthy: true, isTransient: false, services: [] }];
  }
  const silences = electorate.silentMs();
  return (electorate.observers() ?? []).map(({ id, kind, isFresh, isTransient, abstains, services }) => {
    const silentMs = silences.get(id);
    return {
      id,
      kind,
      isLeader: isLeader(id),
      isHealthy: isFresh,
      ...(silentMs === undefined ? {} : { silentMs: Math.round(silentMs) }),
      isTransient,
      ...(abstains === undefined ? {} : { abstains }),
      services,
    };
  });
}

/** The cluster as a process sees it, but for its nodes; a process that takes no part in the election has no lease. */
export function clusterView({
  config,
  clock,
  health,
  problems,
  lease,
}: {
  readonly config: Pick<Config, 'cluster' | 'store'>;
  readonly clock: Clock;
  readonly health: Pick<StoreHealth, 'view'>;
  readonly problems: readonly Problem[];
  readonly lease?: LeaseView;
}): Omit<ClusterView, 'nodes'> {
  return {
    name: config.cluster.name,
    node: config.cluster.nodeId,
    version,
    at: clock.now(),
    ...(lease?.holder === undefined ? {} : { leader: lease.holder }),
    epoch: lease?.epoch ?? 0,
    ...(lease === undefined ? {} : { state: lease.state }),
    store: health.view(config.store.kind),
    problems,
  };
}
