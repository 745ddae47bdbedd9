/** Keys that are remembered; of the others a lagging answer is taken as it is, if it brings anything. */
const maxKeys = 10_000;

/** What this process saw of each key last, so that no server that lags shows it what was before. */
export interface Sights {
  /** A key was read, or written at this index; without one it was not there. */
  note(key: string, index: number | undefined): void;
  /** The highest index under which a key was seen; 0 for one that was not. */
  indexOf(key: string): number;
  /** True for an answer of a server that lags when the key was seen to be newer, or might have been written since. */
  mayBeBehind(key: string, index: number | undefined): boolean;
}

export function createSights(): Sights {
  const seen = new Map<string, { readonly index: number; readonly isGone: boolean }>();
  return {
    note(key, index) {
      const before = seen.get(key);
      if (index !== undefined && before !== undefined && index < before.index) return;
      // The one that was noted longest ago is the first to be forgotten.
      seen.delete(key);
      seen.set(key, { index: index ?? before?.index ?? 0, isGone: index === undefined });
      const [oldest] = seen.keys();
      if (seen.size > maxKeys && oldest !== undefined) seen.delete(oldest);
    },
    indexOf: (key) => seen.get(key)?.index ?? 0,
    mayBeBehind(key, index) {
      const before = seen.get(key);
      if (index === undefined) return before?.isGone !== true;
      if (before === undefined) return false;
      return index < before.index || (index === before.index && before.isGone);
    },
  };
}
