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
}

/** Where targets come from. One source object serves one entry of a service's `source` list. */
export interface DiscoverySource {
  /**
   * Reads the whole current set. An empty list means that there are truly none; a source that cannot know throws
   * (HsdoError `unavailable`, or `rejected` when asking again cannot help, such as a missing permission). Never
   * loops, retries or caches: `refresh.ts` does that around every source, and it sets the deadline that `signal`
   * carries.
   */
  discover(signal: AbortSignal): Promise<readonly Sighting[]>;
  /**
   * Optional: resolves when a new `discover` may see something else (a file changed, a blocking query returned).
   * Only a hint, waking for nothing is allowed. A rejection makes the caller back off and fall back to polling.
   */
  changed?(signal: AbortSignal): Promise<void>;
}
