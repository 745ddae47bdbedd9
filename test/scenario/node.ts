import type { ServiceConfig } from '../../src/config/schema.ts';
import { createFollower } from '../../src/daemon/follow.ts';
import { createLeading } from '../../src/daemon/leading.ts';
import { type Merged, merge } from '../../src/discover/merge.ts';
import { createRefresh } from '../../src/discover/refresh.ts';
import type { Sighting } from '../../src/discover/source.ts';
import { HsdoError } from '../../src/model/error.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { createLease, type LeaseView } from '../../src/publish/lease.ts';
import { createRecordLease } from '../../src/publish/record-lease.ts';
import { createRecordSnapshots } from '../../src/publish/record-snapshots.ts';
import { createRequests } from '../../src/publish/requests.ts';
import type { Snapshots } from '../../src/publish/snapshots.ts';
import { type MemoryEngine, openMemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import type { Clock } from '../../src/time/clock.ts';
import { createNudge } from '../../src/time/nudge.ts';
import { createVoting } from './voting.ts';

/** What befalls one process of the story. */
export interface Fate {
  isStoreAway: boolean;
  isSourceAway: boolean;
  /** Stopped as by SIGSTOP: time goes on, the process does not. */
  isPaused: boolean;
  /** Nobody hears from it any more. */
  isGone: boolean;
  /** Becomes paused with its next commit on the way. */
  pausesInCommit: boolean;
  sightings: readonly Sighting[];
  /** Names of the targets that do not pass the checks of this process. */
  sick: ReadonlySet<string>;
  /** Names of those that fail every second one. */
  flaky: ReadonlySet<string>;
  wake: () => void;
}

export const newFate = (source: Pick<Fate, 'isSourceAway' | 'sightings' | 'sick' | 'flaky'>): Fate => ({
  isStoreAway: false,
  isSourceAway: source.isSourceAway,
  isPaused: false,
  isGone: false,
  pausesInCommit: false,
  sightings: source.sightings,
  sick: source.sick,
  flaky: source.flaky,
  wake: () => {},
});

export interface NodeParts {
  readonly name: string;
  readonly clock: Clock;
  readonly engine: MemoryEngine;
  readonly fate: Fate;
  readonly log: Log;
  readonly ttlMs: number;
  readonly service: ServiceConfig;
  /** A list that HSDO left, for as long as nothing of ours is published. */
  readonly legacy: () => Snapshot | undefined;
}

async function untilAwake(fate: Fate): Promise<void> {
  while (fate.isPaused) {
    await new Promise<void>((resolve) => {
      const others = fate.wake;
      fate.wake = () => {
        others();
        resolve();
      };
    });
  }
}

/** The clock of a process that may be stopped: what it waits for may be long over when it goes on. */
function clockOf({ clock, fate }: NodeParts): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    async sleep(ms, signal) {
      await clock.sleep(ms, signal);
      await untilAwake(fate);
    },
  };
}

/** The store as a process reaches it: through a network that may be cut, in calls during which it may be stopped. */
function storeOf({ engine, fate }: NodeParts): Store {
  const store = openMemoryStore(engine);
  const reach = async () => {
    await untilAwake(fate);
    if (fate.isStoreAway) throw new HsdoError('unavailable', 'the store is away');
  };
  return {
    async get(...args) {
      await reach();
      return store.get(...args);
    },
    async list(...args) {
      await reach();
      return store.list(...args);
    },
    async commit(...args) {
      if (fate.pausesInCommit) [fate.pausesInCommit, fate.isPaused] = [false, true];
      await reach();
      return store.commit(...args);
    },
    close: () => store.close(),
  };
}

function snapshotsOf(store: Store, legacy: NodeParts['legacy']): Snapshots {
  const snapshots = createRecordSnapshots(store);
  return {
    ...snapshots,
    read: async (service, signal) => (await snapshots.read(service, signal)) ?? legacy(),
  };
}

export interface RunningServer {
  lease(): LeaseView;
  /** Ends it; `isClean` hands the lease back, otherwise it is gone as by SIGKILL. */
  end(isClean: boolean): Promise<void>;
}

/** A server as the daemon composes it, on a clock, a store and a source that the story owns. */
export function startServer(parts: NodeParts): RunningServer {
  const { name, fate, log, service } = parts;
  const [clock, store, metrics, nudge] = [clockOf(parts), storeOf(parts), createMetrics(), createNudge()];
  const stopping = new AbortController();
  const refresh = createRefresh({
    service: service.name,
    label: 'story',
    source: {
      async discover() {
        await untilAwake(fate);
        if (fate.isSourceAway) throw new HsdoError('unavailable', 'the source is away');
        return fate.sightings;
      },
    },
    clock,
    intervalMs: 1000,
    deadlineMs: 60_000,
    log,
    metrics,
    random: () => 0,
    onRead: (isChanged) => {
      if (!isChanged) return;
      nudge.nudge();
      voting?.observing.targetsChanged(service.name);
    },
  });
  let merged: Merged | undefined;
  const known = () => {
    merged = merge([refresh.latest()], merged);
    return merged;
  };
  const asked = new Map<string, number>();
  const isSick = (target: string) => {
    asked.set(target, (asked.get(target) ?? 0) + 1);
    return fate.sick.has(target) || (fate.flaky.has(target) && (asked.get(target) ?? 0) % 2 === 0);
  };
  const voting = createVoting(
    { ...parts, isSick },
    { clock, store, metrics, targets: () => known().targets, onVotes: nudge.nudge },
  );
  const home = createRecordLease(store);
  const lease = createLease({ home, nodeId: name, ttlMs: parts.ttlMs, clock, log, onChange: nudge.nudge });
  const snapshots = snapshotsOf(store, parts.legacy);
  const requests = createRequests(store);
  const leading = createLeading({
    service,
    known,
    observers: () => voting?.electorate.observers(),
    firstWaitMs: 10_000,
    lease,
    snapshots,
    requests,
    intervalMs: 1000,
    clock,
    log,
    metrics,
    nudge,
  });
  const loops = [refresh.run, lease.run, leading.run, ...(voting ? [voting.observing.run, voting.electorate.run] : [])];
  const running = loops.map((run) => run(stopping.signal));
  return {
    lease: lease.view,
    async end(isClean) {
      fate.isStoreAway = !isClean;
      fate.isGone = !isClean;
      fate.isPaused = false;
      fate.wake();
      stopping.abort(new Error('the story ends it'));
      await Promise.allSettled(running);
    },
  };
}

export interface RunningClient {
  current(): Snapshot | undefined;
  end(): Promise<void>;
}

/** The part of a client that follows the list, with what it remembered when it starts. */
export function startClient(parts: NodeParts, initial: Snapshot | undefined): RunningClient {
  const stopping = new AbortController();
  let current = initial;
  const follower = createFollower({
    service: parts.service.name,
    snapshots: snapshotsOf(storeOf(parts), () => undefined),
    intervalMs: 1000,
    clock: clockOf(parts),
    log: parts.log,
    initial,
    onSnapshot: (snapshot) => {
      current = snapshot;
    },
    onLook: () => {},
  });
  const running = follower.run(stopping.signal);
  return {
    current: () => current,
    async end() {
      parts.fate.isPaused = false;
      parts.fate.wake();
      stopping.abort(new Error('the story ends it'));
      await running.catch(() => {});
    },
  };
}
