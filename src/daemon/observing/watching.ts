import { createCheck } from '../../check/health-checks.ts';
import { unnamedNodeId } from '../../config/assemble.ts';
import type { ServiceConfig } from '../../config/schema.ts';
import { quorumOf } from '../../judge/quorum.ts';
import type { Observer } from '../../model/ballot.ts';
import { createBallotReader, type RegisteredObserver } from '../../publish/ballot-reader.ts';
import { type BallotWriter, createBallotWriter } from '../../publish/ballot-writer.ts';
import type { Store } from '../../store/store.ts';
import { withDeadline } from '../../time/deadline.ts';
import { electorateOf } from '../agents/agents-electorate.ts';
import { runTogether, untilAborted } from '../lifecycle.ts';
import type { ProcessParts } from '../process.ts';
import { createElectorate, type Electorate } from './electorate.ts';
import { createObserving, type Observing, type WatchedService } from './observing.ts';
import type { Opinions } from './opinions.ts';
import { openStatistics } from './statistics-file.ts';

/** The two halves of voting in a server: casting its own votes, and reading everybody's. */
export interface Watching {
  readonly observing: Observing;
  readonly electorate: Electorate;
  run(signal: AbortSignal): Promise<void>;
}

const withdrawDeadlineMs = 3000;

/** True where targets are checked by us or by agents, and not by HAProxy alone. */
export function isWatched(service: ServiceConfig): service is WatchedService['service'] {
  return service.check !== undefined;
}

/**
 * An observer that was given no name leaves at a clean stop and when it falls silent, since it comes back under another
 * one; one with a name stays in the electorate until it is decommissioned.
 *
 * A server that watches nothing has no vote; it registers all the same, so that people see which servers there are.
 *
 * @param watched - The services that have a check.
 * @param onVotes - Called when votes or observers changed.
 */
export function createWatching(
  parts: ProcessParts & { readonly opinions?: Opinions },
  watched: readonly WatchedService[],
  store: Store,
  onVotes: () => void,
): Watching {
  const { config, clock, log } = parts;
  const { nodeId, nodeTtlSeconds } = config.cluster;
  const isTransient = nodeId === unnamedNodeId();
  const ttlMs = nodeTtlSeconds * 1000;
  const writer = createBallotWriter({ store, observer: nodeId, isTransient, ttlMs, clock });
  // Services that are left to agents are read about and not asked.
  const asked = watched.filter(({ service }) => service.agents?.only !== true);
  const observing = createObserving({
    ...parts,
    watched: asked,
    writer,
    makeCheck: createCheck,
    openStatistics: async (...args) => (asked.length > 0 ? openStatistics(parts, ...args) : { run: untilAborted }),
  });
  const electorate = createElectorate({
    reader: createBallotReader({ store, clock }),
    // Nobody's votes decide anything here: who lives is told as often as it can change.
    intervalMs: (watched.length > 0 ? config.intervalSeconds : config.cluster.heartbeatSeconds) * 1000,
    clock,
    log,
    onChange() {
      countObservers(parts, watched, electorate.observers() ?? []);
      onVotes();
    },
  });
  return {
    observing,
    electorate,
    async run(signal) {
      await runTogether([observing.run, electorate.run], signal);
      if (isTransient) await leave(writer);
    },
  };
}

/** Best effort: whoever stays behind without it drops out by its time to live. */
async function leave(writer: BallotWriter): Promise<void> {
  const signal = new AbortController().signal;
  await withDeadline('The store, told goodbye,', withdrawDeadlineMs, signal, (inner) => writer.withdraw(inner)).catch(
    () => {},
  );
}

function countObservers(
  { metrics }: ProcessParts,
  watched: readonly WatchedService[],
  observers: readonly RegisteredObserver[],
): void {
  const stateOf = ({ isFresh, abstains }: Observer) =>
    isFresh ? (abstains === undefined ? 'fresh' : 'abstaining') : 'stale';
  for (const { service } of watched) {
    const voters = electorateOf(service, observers);
    const states = voters.map(stateOf);
    for (const state of ['fresh', 'stale', 'abstaining'] as const)
      metrics.observers.set({ service: service.name, state }, states.filter((one) => one === state).length);
    metrics.serviceQuorum.set({ service: service.name }, quorumOf(voters, service.name, service.vote).isMet ? 1 : 0);
  }
}
