import type { Refusal, Target } from '../model/target.ts';
import { firstOfEach } from './unique.ts';

/** What a source said when it last answered. */
export interface Reading {
  readonly targets: readonly Target[];
  readonly refusals: readonly Refusal[];
  /** Successful reads so far, this one included. */
  readonly reads: number;
  /** Wall-clock milliseconds. */
  readonly readAt: number;
}

/** What all sources of a service say together. */
export interface Merged {
  readonly targets: readonly Target[];
  /** Everything that was left out, `duplicates` included. */
  readonly refusals: readonly Refusal[];
  /** Targets that were left out because an earlier source reports them, too. */
  readonly duplicates: readonly Refusal[];
  /** False while a source was never read: then a target that is missing here may still be known to that one. */
  readonly complete: boolean;
  /**
   * Rises by one once every source was read anew since it rose last. That is why the previous result goes in: neither
   * the sum nor the least of the sources' own counts could tell it, since a source that answers quickly would count for
   * one that hangs, and confirm in its stead that targets are gone.
   */
  readonly reads: number;
  /** Each source's own count when `reads` rose last. */
  readonly countedReads: readonly number[];
}

/**
 * Puts the latest readings of a service's sources together, in the order of the configuration. A target that an earlier
 * source reports too, by its id or by its address and port, is refused by name.
 *
 * @param readings - One per source, undefined while it was never read.
 * @param previous - What this function returned last for the same sources; undefined at first.
 */
export function merge(readings: readonly (Reading | undefined)[], previous: Merged | undefined): Merged {
  const read = readings.filter((reading) => reading !== undefined);
  const { targets, refusals: duplicates } = firstOfEach(read.flatMap((reading) => reading.targets));
  const complete = read.length === readings.length;
  const isRise = complete && read.every((reading, i) => reading.reads > (previous?.countedReads[i] ?? 0));
  return {
    targets,
    refusals: [...read.flatMap((reading) => reading.refusals), ...duplicates],
    duplicates,
    complete,
    reads: (previous?.reads ?? 0) + (isRise ? 1 : 0),
    countedReads: isRise ? read.map((reading) => reading.reads) : (previous?.countedReads ?? []),
  };
}
