import type { Clock } from '../time/clock.ts';

/**
 * One entry as a source reported it: hostile until `accept.ts` has parsed it. Sources copy fields over and decide
 * nothing about their validity.
 */
export interface Sighting {
  readonly id: unknown;
  readonly name: unknown;
  readonly address: unknown;
  readonly port?: unknown;
  readonly group: unknown;
  readonly zone?: unknown;
  readonly weight?: unknown;
  readonly priority?: unknown;
  /** Why the entry as a whole cannot be read, such as an unknown key: it is then refused with these words. */
  readonly fault?: string;
}

/**
 * Sightings in the order of their ids, for sources whose answers come in no order of their own: so of two that claim
 * one endpoint always the same one wins.
 */
export function inOrder(sightings: readonly Sighting[]): readonly Sighting[] {
  const text = ({ id }: Sighting) => (typeof id === 'string' ? id : '\uffff');
  return [...sightings].sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));
}

/** Where targets come from. One source object serves one entry of a service's `source` list. */
export interface DiscoverySource {
  /**
   * Reads the whole current set. An empty list means that there are truly none; a source that cannot know throws
   * (HsdoError `unavailable`, or `rejected` when asking again cannot help, such as a missing permission). Never
   * loops, retries or caches: `refresh.ts` does that around every source, and it sets the deadline that `signal`
   * carries. Only what `changed` has just read whole need not be read again by the `discover` that directly follows.
   */
  discover(signal: AbortSignal): Promise<readonly Sighting[]>;
  /**
   * Optional: resolves when a new `discover` may see something else (a file changed, a blocking query returned),
   * compared with what the last `discover` saw, so that nothing between the two calls is missed. Only a hint, waking
   * for nothing is allowed. A rejection makes the caller back off and fall back to polling. It may stay pending
   * while `discover` runs again.
   */
  changed?(signal: AbortSignal): Promise<void>;
  /** Optional: for how long the last answer says that it stands, milliseconds; it is not asked for again before. */
  standsMs?(): number;
}

/** What a process gives to each of its sources. */
export interface SourceContext {
  /** AWS profile and region of the process, for sources that name none. */
  readonly aws: { readonly profile?: string | undefined; readonly region?: string | undefined };
  readonly clock: Clock;
  /** What relative paths start from; default is the working directory. */
  readonly baseFolder?: string;
}
