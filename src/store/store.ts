/** Compare-and-set token of one key. Opaque: only equality means anything, and no two states of a key share one. */
export type Version = string;

export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly version: Version;
}

/** What one key must look like for a commit to count: an exact version, or `null` for no such key. */
export type Expectation = Version | null;

/**
 * One step of a commit. `put` and `delete` may leave `expect` out to mean "whatever is there"; `check` only
 * demands. A commit names a key at most once.
 */
export type Change =
  | { readonly op: 'put'; readonly key: string; readonly value: string; readonly expect?: Expectation }
  | { readonly op: 'delete'; readonly key: string; readonly expect?: Expectation }
  | { readonly op: 'check'; readonly key: string; readonly expect: Expectation };

export interface ReadOptions {
  /** Allows an answer from a replica that lags; cheaper where the engine charges for certainty. Default false. */
  readonly mayBeStale?: boolean;
}

/**
 * A plain versioned key-value store, without domain words. Keys are printable ASCII with `/` as separator, at most
 * 512 bytes; values are text of at most 256 KiB. Every method rejects with HsdoError: `unavailable` when the
 * engine did not answer, `rejected` when it refuses for good (permission, schema, size).
 */
export interface Store {
  get(key: string, signal: AbortSignal, options?: ReadOptions): Promise<Entry | undefined>;
  /** Every entry whose key starts with `prefix`, ordered by key. Entries written by one commit may be seen apart. */
  list(prefix: string, signal: AbortSignal): Promise<readonly Entry[]>;
  /**
   * Applies all changes or none (at most 64), and returns the new version of every key that was put. Rejects with
   * `conflict` when an expectation does not hold. When the answer was lost the store reads back what became of
   * the commit, so `conflict` is never a mistaken name for a write of one's own.
   */
  commit(changes: readonly Change[], signal: AbortSignal): Promise<ReadonlyMap<string, Version>>;
  /** Optional: resolves after a commit by anybody touched a key under `prefix`. A hint; callers poll as well. */
  changed?(prefix: string, signal: AbortSignal): Promise<void>;
  /** Frees what the store holds. Using it afterwards is a bug. */
  close(): Promise<void>;
}

/** Most changes in one commit, on every engine (Consul's own limit is 64). */
export const maxCommitChanges = 64;
