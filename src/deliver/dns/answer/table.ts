import { carryTurns, chapterHead, nodeHead } from './layout.ts';
import { createMessages } from './messages.ts';

/** Names and what is known at them. A slot is a place in the table and holds until the next call of `settle`. */
export interface Table {
  /** Queues compiled chapters. The bytes belong to the table from now on: it counts turns in them. */
  install(message: Uint8Array): void;
  /**
   * Installs about `maxNames` names of what is queued, at least one chapter and each of them whole: between two calls
   * every chapter is either as it was or as it will be. True when nothing is left.
   */
  settle(maxNames: number): boolean;
  /** Another number of 32 bits whenever anything in the table has changed. */
  generation(): number;
  /** How many names there are. */
  names(): number;
  /** Bytes that chapters and index take, about. */
  bytes(): number;
  /** Slot of the name `name[at, end)` in lower case with this hash, behind which are zeros; -1 when there is none. */
  find(hash: number, name: DataView, at: number, end: number): number;
  /** What the node of a slot lies in. */
  viewOf(slot: number): DataView;
  /** Where in them it begins, see layout.ts. */
  nodeOf(slot: number): number;
  /** Forgets all marks. */
  beginMarks(): void;
  /** Marks a slot; false when it was marked before. */
  mark(slot: number): boolean;
}

/** Fields of a slot in `index`: hash, number of the chapter (0: empty), place in the chapter, mark. */
const slotFields = 4;
const firstCapacity = 1024;

/** Where a hash would like to be. */
function home(hash: number, mask: number): number {
  return hash & mask;
}

/** Open addressing with linear probing, kept at most half full. */
function createIndex(viewOf: (chapter: number) => DataView, baseOf: (chapter: number) => number) {
  let capacity = firstCapacity;
  let mask = capacity - 1;
  let fields = new Int32Array(capacity * slotFields);
  let used = 0;
  let round = 0;

  const chapterOf = (slot: number) => fields[slot * slotFields + 1] as number;
  const nodeOf = (slot: number) => baseOf(chapterOf(slot)) + (fields[slot * slotFields + 2] as number);

  function isAt(slot: number, name: DataView, at: number, end: number): boolean {
    const view = viewOf(chapterOf(slot));
    const node = nodeOf(slot);
    if (view.getUint16(node + nodeHead.nameBytes) !== end - at) return false;
    // Four bytes at a time: behind both names are zeros.
    const from = node + nodeHead.bytes - at;
    for (let one = at; one < end; one += 4) if (view.getInt32(from + one) !== name.getInt32(one)) return false;
    return true;
  }

  /** Slot of a name, or -1 - the empty slot where it belongs. */
  function seek(hash: number, name: DataView, at: number, end: number): number {
    for (let slot = home(hash, mask); ; slot = (slot + 1) & mask) {
      if (chapterOf(slot) === 0) return -1 - slot;
      if (fields[slot * slotFields] === hash && isAt(slot, name, at, end)) return slot;
    }
  }

  function put(slot: number, hash: number, chapter: number, place: number): void {
    fields[slot * slotFields] = hash;
    fields[slot * slotFields + 1] = chapter;
    fields[slot * slotFields + 2] = place;
  }

  /** Makes room for so many names more. */
  function reserve(more: number): void {
    if ((used + more) * 2 <= capacity) return;
    const old = fields;
    while ((used + more) * 2 > capacity) capacity *= 2;
    mask = capacity - 1;
    fields = new Int32Array(capacity * slotFields);
    for (let from = 0; from < old.length; from += slotFields) {
      if (old[from + 1] === 0) continue;
      let slot = home(old[from] as number, mask);
      while (chapterOf(slot) !== 0) slot = (slot + 1) & mask;
      put(slot, old[from] as number, old[from + 1] as number, old[from + 2] as number);
    }
  }

  /** Moves back those that stand further on only because this slot was taken, so that no gap parts them from their home. */
  function remove(slot: number): void {
    let gap = slot;
    for (let next = (slot + 1) & mask; chapterOf(next) !== 0; next = (next + 1) & mask) {
      const distance = (next - home(fields[next * slotFields] as number, mask)) & mask;
      if (distance < ((next - gap) & mask)) continue;
      fields.copyWithin(gap * slotFields, next * slotFields, (next + 1) * slotFields);
      gap = next;
    }
    fields[gap * slotFields + 1] = 0;
    used -= 1;
  }

  return {
    chapterOf,
    nodeOf,
    seek,
    reserve,
    remove,
    bytes: () => fields.byteLength,
    used: () => used,
    replace: put,
    add(slot: number, hash: number, chapter: number, place: number) {
      put(slot, hash, chapter, place);
      used += 1;
    },
    beginMarks() {
      round = (round + 1) | 0;
    },
    mark(slot: number) {
      if (fields[slot * slotFields + 3] === round) return false;
      fields[slot * slotFields + 3] = round;
      return true;
    },
  };
}

/** An empty table. See layout.ts for what it keeps, compile.ts for who makes it. */
export function createTable(): Table {
  const messages = createMessages();
  const { viewOf, baseOf } = messages;
  const index = createIndex(viewOf, baseOf);
  let chapters = 0;
  let generation = 0;

  function seekNode(view: DataView, node: number): number {
    const at = node + nodeHead.bytes;
    return index.seek(view.getInt32(node), view, at, at + view.getUint16(node + nodeHead.nameBytes));
  }

  /** Gives each node of the chapter its slot; says how many of these were those of the chapter `old`. */
  function place(chapter: number, nodes: number, old: number): number {
    const view = viewOf(chapter);
    const base = baseOf(chapter);
    let node = base + chapterHead.bytes;
    let replaced = 0;
    for (let left = nodes; left > 0; left -= 1) {
      const slot = seekNode(view, node);
      const hash = view.getInt32(node);
      if (slot < 0) {
        index.add(-1 - slot, hash, chapter, node - base);
      } else {
        const before = index.chapterOf(slot);
        carryTurns(view, node, viewOf(before), index.nodeOf(slot));
        index.replace(slot, hash, chapter, node - base);
        if (before === old) replaced += 1;
      }
      node += view.getInt32(node + nodeHead.length);
    }
    return replaced;
  }

  /** Takes the names of a chapter away that are still its own. */
  function clear(chapter: number): void {
    const view = viewOf(chapter);
    let node = baseOf(chapter) + chapterHead.bytes;
    for (let left = messages.namesOf(chapter) + 1; left > 0; left -= 1) {
      const slot = seekNode(view, node);
      if (slot >= 0 && index.chapterOf(slot) === chapter) index.remove(slot);
      node += view.getInt32(node + nodeHead.length);
    }
  }

  /** Installs the next chapter and says how many names it has. */
  function installNext(): number {
    const chapter = messages.take();
    generation = (generation + 1) | 0;
    const names = messages.namesOf(chapter);
    const keySlot = seekNode(viewOf(chapter), baseOf(chapter) + chapterHead.bytes);
    const old = keySlot < 0 ? 0 : index.chapterOf(keySlot);
    index.reserve(names + 1);
    const replaced = names > 0 ? place(chapter, names + 1, old) : 0;
    if (old !== 0 && replaced < messages.namesOf(old) + 1) clear(old);
    if (old !== 0) messages.release(old);
    if (names === 0) messages.release(chapter);
    chapters += (names > 0 ? 1 : 0) - (old !== 0 ? 1 : 0);
    return names;
  }

  return {
    install: messages.queue,
    settle(maxNames) {
      for (let left = maxNames; left > 0 && !messages.isEmpty(); ) left -= Math.max(1, installNext());
      return messages.isEmpty();
    },
    generation: () => generation,
    names: () => index.used() - chapters,
    bytes: () => messages.bytes() + index.bytes(),
    find(hash, name, at, end) {
      const slot = index.seek(hash, name, at, end);
      return slot < 0 ? -1 : slot;
    },
    viewOf: (slot) => viewOf(index.chapterOf(slot)),
    nodeOf: index.nodeOf,
    beginMarks: index.beginMarks,
    mark: index.mark,
  };
}
