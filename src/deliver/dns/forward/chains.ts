/** Something that is found by a hash. Its link belongs to the chains. */
export interface Linked<T> {
  readonly hash: number;
  next: T | undefined;
}

/** Finds what comes and goes all the time: by a hash, after which the caller looks for the one that it means. */
export interface Chains<T extends Linked<T>> {
  /** The first item whose hash may be this one; `next` leads to the others. */
  first(hash: number): T | undefined;
  add(item: T): void;
  remove(item: T): void;
  /** All items that a condition is true of. */
  filter(isWanted: (item: T) => boolean): readonly T[];
  clear(): void;
}

/** A power of two, and enough for thousands of items. */
const chainCount = 1024;

/**
 * Items in chains that run through the items themselves. A Map would do the same, were it not that it moves to a new table
 * after every few changes, and that each table left behind points at the next one: when one of them has grown old, the
 * quick collections of garbage keep all that come after it and what they held, megabytes in a second, until a full one.
 */
export function createChains<T extends Linked<T>>(): Chains<T> {
  const heads: (T | undefined)[] = Array.from({ length: chainCount }, () => undefined);
  const headOf = (hash: number) => hash & (chainCount - 1);
  return {
    first: (hash) => heads[headOf(hash)],
    add(item) {
      const head = headOf(item.hash);
      item.next = heads[head];
      heads[head] = item;
    },
    remove(item) {
      const head = headOf(item.hash);
      let before: T | undefined;
      for (let at = heads[head]; at !== item; at = at.next) {
        if (at === undefined) return;
        before = at;
      }
      if (before === undefined) heads[head] = item.next;
      else before.next = item.next;
      item.next = undefined;
    },
    filter(isWanted) {
      const found: T[] = [];
      for (const head of heads) {
        for (let item = head; item !== undefined; item = item.next) if (isWanted(item)) found.push(item);
      }
      return found;
    },
    clear: () => void heads.fill(undefined),
  };
}
