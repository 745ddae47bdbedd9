import { loadDnsMemory, saveDnsMemory } from '../../deliver/dns/memory.ts';
import { describeError, HsdoError } from '../../model/error.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Homes } from '../../publish/homes.ts';
import { createStreak } from '../../telemetry/log.ts';
import { every, pause } from '../../time/every.ts';
import { createNudge } from '../../time/nudge.ts';
import { createFollower } from '../follow.ts';
import { runTogether } from '../lifecycle.ts';
import { openPatiently } from '../opening.ts';
import type { ProcessParts } from '../process.ts';
import { exportSnapshot } from '../slot-metrics.ts';
import type { StoreHealth } from '../store-health.ts';

/** The lists that names are answered from: out of the store, and from the last run until that answers. */
export interface DnsLists {
  /** The list in use. */
  current(service: string): Snapshot | undefined;
  /** Since when the store has not confirmed the list, wall-clock milliseconds; `undefined` while it does. */
  silentSinceAt(service: string): number | undefined;
  run(signal: AbortSignal): Promise<void>;
}

/** So long the store may be silent before people are told of it, or three looks where those are rarer. */
const patienceMs = 10_000;
const lookMs = 1000;
const saveAgainMs = 10_000;

/** A list in use, and how sure it is. It may be followed further by another configuration. */
export interface FollowedList {
  current: Snapshot | undefined;
  /** When the store last had an answer about it; at first the start of the process. */
  confirmedAt: number;
  confirmedMonotonicMs: number;
  isSilent: boolean;
}

type DnsListsParts = Pick<ProcessParts, 'config' | 'clock' | 'log' | 'metrics' | 'closers'>;

export interface DnsListsOptions {
  readonly services: readonly string[];
  /** Those that this process followed before, by service: what the disk has may be older. Kept up to date. */
  readonly past?: Map<string, FollowedList>;
  readonly health: StoreHealth;
  /** Opens the store; tried until it works. */
  readonly open: (signal: AbortSignal) => Promise<Pick<Homes, 'snapshots' | 'close'>>;
  /** Called with a service whose list changed, or whose store fell silent or spoke again. */
  readonly onChange: (service: string) => void;
}

async function fromDisk({ config, clock, log, metrics }: DnsListsParts, service: string): Promise<FollowedList> {
  const current = await loadDnsMemory(config.stateDirectory, service, log);
  if (current) {
    log.info({ service, revision: current.revision }, 'names are answered from the list on disk');
    exportSnapshot(metrics, current, 'dns');
  }
  return { current, confirmedAt: clock.now(), confirmedMonotonicMs: clock.monotonic(), isSilent: false };
}

/** Reads what the last run remembered, so that it is there before the first question. */
export async function loadDnsLists(parts: DnsListsParts, options: DnsListsOptions): Promise<DnsLists> {
  const { config, clock, log, metrics } = parts;
  const { services, past = new Map(), health, open, onChange } = options;
  for (const service of services) if (!past.has(service)) past.set(service, await fromDisk(parts, service));
  for (const service of [...past.keys()]) if (!services.includes(service)) past.delete(service);
  const followed = past;
  const saver = createSaver(parts);
  const intervalMs = config.intervalSeconds * 1000;
  const quietMs = Math.max(patienceMs, 3 * intervalMs);

  async function lookForSilence(): Promise<void> {
    for (const [service, one] of followed) {
      const isSilent = clock.monotonic() - one.confirmedMonotonicMs > quietMs;
      if (isSilent === one.isSilent) continue;
      one.isSilent = isSilent;
      onChange(service);
    }
  }

  const followerOf = ([service, one]: [string, FollowedList], homes: Pick<Homes, 'snapshots'>) =>
    createFollower({
      service,
      snapshots: homes.snapshots,
      intervalMs,
      clock,
      log,
      initial: one.current,
      onSnapshot(snapshot) {
        one.current = snapshot;
        exportSnapshot(metrics, snapshot, 'dns');
        saver.save(snapshot);
        onChange(service);
      },
      onLook(error) {
        health.note(error);
        if (error !== undefined) return;
        one.confirmedAt = clock.now();
        one.confirmedMonotonicMs = clock.monotonic();
        metrics.snapshotAge.set({ service, role: 'dns' }, one.confirmedAt / 1000);
      },
    });

  async function follow(signal: AbortSignal): Promise<void> {
    const homes = await openPatiently('the store', () => open(signal), { clock, log, onFailure: health.note }, signal);
    if (!homes) return;
    parts.closers.add('the store of DNS', () => homes.close());
    const followers = [...followed].map((one) => followerOf(one, homes));
    await runTogether(
      followers.map((follower) => (inner) => follower.run(inner)),
      signal,
    );
  }

  return {
    current: (service) => followed.get(service)?.current,
    silentSinceAt(service) {
      const one = followed.get(service);
      return one?.isSilent ? one.confirmedAt : undefined;
    },
    run: (signal) =>
      runTogether(
        [
          follow,
          saver.run,
          (inner) => every({ name: 'lists of DNS', intervalMs: lookMs, clock }, lookForSilence, inner),
        ],
        signal,
      ),
  };
}

/** Writes lists to the disk behind the answers, one after the other and the newest of each; what cannot be written is tried again. */
function createSaver({ config, clock, log }: DnsListsParts) {
  const waiting = new Map<string, Snapshot>();
  const nudge = createNudge();
  const streak = createStreak(log, 'saving the memory of DNS');

  async function saveNext(): Promise<boolean> {
    const [next] = waiting.values();
    if (next === undefined) return false;
    waiting.delete(next.service);
    try {
      await saveDnsMemory(config.stateDirectory, next);
      streak.worked();
      return true;
    } catch (error) {
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
      if (!waiting.has(next.service)) waiting.set(next.service, next);
      return false;
    }
  }

  return {
    save(snapshot: Snapshot) {
      waiting.set(snapshot.service, snapshot);
      nudge.nudge();
    },
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        if (!(await saveNext())) await pause(clock, saveAgainMs, nudge, signal);
      }
      while (await saveNext());
    },
  };
}
