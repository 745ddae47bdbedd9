import { isDeepStrictEqual } from 'node:util';
import { describeError, HsdoError } from '../model/error.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Snapshots } from '../publish/snapshots.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { every } from '../time/every.ts';
import { watchForHints } from '../time/hints.ts';
import { createNudge } from '../time/nudge.ts';

export interface FollowOptions {
  readonly service: string;
  readonly snapshots: Snapshots;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** What is already known, from the last run. */
  readonly initial: Snapshot | undefined;
  /** A newer snapshot was read. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  /** The snapshot in use was found to be current, or the store did not answer. */
  readonly onLook: (error: unknown) => void;
}

const deadlineMs = 5000;

/** Keeps up with the published snapshots of one service; over any outage the last one stays in use. */
export interface Follower {
  run(signal: AbortSignal): Promise<void>;
}

export function createFollower(options: FollowOptions): Follower {
  const { service, snapshots, clock, log } = options;
  const streak = createStreak(log, 'reading the snapshot', { service });
  const nudge = createNudge();
  let current = options.initial;
  let hasRead = false;

  async function look(signal: AbortSignal): Promise<void> {
    const revision = await snapshots.revision(service, signal);
    // Revision 0 is nothing at all, or a table in which HSDO's own server has the word and counts no revisions. And
    // what a last run left behind may be of another store, which counts from 1 as well.
    if (hasRead && current !== undefined && revision === current.revision && revision !== 0) return;
    const read = await snapshots.read(service, signal);
    hasRead = true;
    // No snapshot at all is a new or emptied store: it cannot know, and what was delivered stays.
    if (read === undefined || (current && isSame(current, read))) return;
    if (current && read.revision < current.revision) {
      log.warn(
        { service, revision: read.revision, before: current.revision },
        'the store went back to an older snapshot',
      );
    }
    current = read;
    options.onSnapshot(read);
  }

  async function once(signal: AbortSignal): Promise<void> {
    try {
      await withDeadline(`The store, asked for the snapshot of "${service}",`, deadlineMs, signal, look);
      streak.worked();
      options.onLook(undefined);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
      options.onLook(error);
    }
  }

  return {
    async run(signal) {
      const hints = watchForHints((inner) => snapshots.changed?.(service, inner), nudge.nudge, clock, signal);
      await every(
        { name: `following "${service}"`, intervalMs: options.intervalMs, clock, nudge },
        () => once(signal),
        signal,
      );
      await hints;
    },
  };
}

function isSame(one: Snapshot, other: Snapshot): boolean {
  return one.revision === other.revision && one.epoch === other.epoch && isDeepStrictEqual(one.slots, other.slots);
}
