import type { Clock } from '../../../time/clock.ts';

/** Something that is given up after a time. Its links belong to the list. */
export interface Due {
  dueAt: number;
  before: Due | undefined;
  after: Due | undefined;
  isWaiting: boolean;
}

/** Holds what all waits for the same time, the earliest first: a change costs the same however long the list is. */
export interface DueList<T extends Due> {
  /** Counted from `now`, an instant of the monotonic clock that the caller has read already. */
  add(item: T, now: number): void;
  /** Takes an item out; one that does not wait is left alone. */
  remove(item: T): void;
  close(): void;
}

/** What is due within this time of each other goes together, so that thousands of items do not mean thousands of timers. */
const togetherMs = 5;

/** `onDue` is called for each item that was not taken out within `ms`. One timer is set for all, none for an empty list. */
export function createDueList<T extends Due>(clock: Clock, ms: number, onDue: (item: T) => void): DueList<T> {
  const closing = new AbortController();
  let [first, last]: (Due | undefined)[] = [];
  let isWatched = false;

  function remove(item: Due): void {
    if (!item.isWaiting) return;
    item.isWaiting = false;
    if (item.before === undefined) first = item.after;
    else item.before.after = item.after;
    if (item.after === undefined) last = item.before;
    else item.after.before = item.before;
    item.before = undefined;
    item.after = undefined;
  }

  async function watch(): Promise<void> {
    isWatched = true;
    while (first !== undefined && !closing.signal.aborted) {
      try {
        await clock.sleep(Math.max(togetherMs, first.dueAt - clock.monotonic()), closing.signal);
      } catch (error) {
        if (closing.signal.aborted) return;
        throw error;
      }
      const now = clock.monotonic();
      for (let item = first; item !== undefined && item.dueAt <= now; item = first) {
        remove(item);
        onDue(item as T);
      }
    }
    isWatched = false;
  }

  return {
    add(item, now) {
      item.dueAt = now + ms;
      item.isWaiting = true;
      item.before = last;
      item.after = undefined;
      if (last === undefined) first = item;
      else last.after = item;
      last = item;
      if (!isWatched) void watch();
    },
    remove,
    close: () => closing.abort(),
  };
}
