import type { ServiceConfig } from '../../src/config/schema.ts';
import { createClosers } from '../../src/daemon/lifecycle.ts';
import { createElectorate, type Electorate } from '../../src/daemon/observing/electorate.ts';
import { createObserving, type Observing } from '../../src/daemon/observing/observing.ts';
import { isWatched } from '../../src/daemon/observing/watching.ts';
import { failed, passed } from '../../src/model/probe.ts';
import type { Target } from '../../src/model/target.ts';
import { createBallotReader } from '../../src/publish/ballot-reader.ts';
import { createBallotWriter } from '../../src/publish/ballot-writer.ts';
import type { Store } from '../../src/store/store.ts';
import type { Log } from '../../src/telemetry/log.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';
import type { Clock } from '../../src/time/clock.ts';

const ttlMs = 15_000;

/** One server's checks and votes as the daemon composes them; what a check finds is what the story says. */
export function createVoting(
  {
    name,
    service,
    log,
    isSick,
  }: { name: string; service: ServiceConfig; log: Log; isSick: (target: string) => boolean },
  around: { clock: Clock; store: Store; metrics: Metrics; targets: () => readonly Target[]; onVotes: () => void },
): { observing: Observing; electorate: Electorate } | undefined {
  if (!isWatched(service)) return undefined;
  const { clock, store, metrics, targets, onVotes } = around;
  const cluster = {
    name: 'hsdo',
    nodeId: name,
    leaseTtlSeconds: 10,
    heartbeatSeconds: 5,
    nodeTtlSeconds: ttlMs / 1000,
  };
  const observing = createObserving({
    config: { cluster, checks: { concurrency: 10, firstWaitSeconds: 10, wayOut: [] } },
    clock,
    log,
    metrics,
    closers: createClosers(),
    watched: [{ service, targets }],
    writer: createBallotWriter({ store, observer: name, isTransient: false, ttlMs, clock }),
    makeCheck: () => ({
      check: async (target) => (isSick(target.name) ? failed('refused', 'the story says so') : passed('well')),
    }),
    openStatistics: async () => ({
      run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
    }),
  });
  const reader = createBallotReader({ store, clock });
  return { observing, electorate: createElectorate({ reader, intervalMs: 1000, clock, log, onChange: onVotes }) };
}
