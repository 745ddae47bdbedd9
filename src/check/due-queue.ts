/** Something that is to be done at an instant. Its place belongs to the queue. */
export interface Due {
  /** Change it only while it waits in no queue, or tell the queue by `moved`. */
  dueAt: number;
  /** Where it lies in the queue; -1 while it waits in none. */
  place: number;
}

/** Holds what waits, the earliest first; every change costs the logarithm of the length (a binary heap). */
export interface DueQueue<T extends Due> {
  first(): T | undefined;
  add(item: T): void;
  /** Says that `dueAt` of a waiting item was changed. */
  moved(item: T): void;
  /** Takes an item out; one that does not wait is left alone. */
  remove(item: T): void;
  /** How many are due at an instant; costs as many steps as there are. */
  countDue(instant: number): number;
}

export function createDueQueue<T extends Due>(): DueQueue<T> {
  const heap: T[] = [];

  function put(item: T, place: number): void {
    heap[place] = item;
    item.place = place;
  }

  /** Puts the item where it belongs, starting from a place that may be overwritten. */
  function settle(item: T, start: number): void {
    let place = start;
    for (let parent = (place - 1) >> 1; place > 0; parent = (place - 1) >> 1) {
      const above = heap[parent];
      if (above === undefined || above.dueAt <= item.dueAt) break;
      put(above, place);
      place = parent;
    }
    for (let child = smallerChild(place); child !== undefined; child = smallerChild(place)) {
      if (child.dueAt >= item.dueAt) break;
      const next = child.place;
      put(child, place);
      place = next;
    }
    put(item, place);
  }

  function smallerChild(place: number): T | undefined {
    const [left, right] = [heap[2 * place + 1], heap[2 * place + 2]];
    return left !== undefined && right !== undefined && right.dueAt < left.dueAt ? right : left;
  }

  return {
    first: () => heap[0],
    add: (item) => settle(item, heap.length),
    moved(item) {
      if (item.place >= 0) settle(item, item.place);
    },
    remove(item) {
      const { place } = item;
      if (place < 0) return;
      item.place = -1;
      const last = heap.pop();
      if (last !== undefined && last !== item) settle(last, place);
    },
    countDue(instant) {
      const count = (place: number): number => {
        const item = heap[place];
        return item === undefined || item.dueAt > instant ? 0 : 1 + count(2 * place + 1) + count(2 * place + 2);
      };
      return count(0);
    },
  };
}
