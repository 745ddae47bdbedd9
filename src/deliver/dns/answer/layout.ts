import { recordHeadBytes } from './wire.ts';

/**
 * How a chapter stands in memory: compile.ts writes it, the table reads it and keeps the turns of its sets in it. Numbers
 * have their high byte first, places count from the chapter's own beginning, so that a chapter can be moved as it is.
 *
 * chapter: length 4, number of names 4, then a node for its key and one for each name
 * node:    hash 4, length 4, rules 1, labels of the apex 1, sets 1, unused 1, length of the name 2, unused 2, the name in
 *          lower case with zeros up to a multiple of four bytes, the sets
 * set:     type 2, order 1, unused 1, length 4, answers 2, count 2, turn 2, stride 2, [weights 2, credits 4], the records
 * record:  C0 0C (the name in the question), type, class, TTL, length, data
 */
export const chapterHead = { names: 4, bytes: 8 } as const;
export const nodeHead = { length: 4, rules: 8, apexLabels: 9, sets: 10, nameBytes: 12, bytes: 16 } as const;
export const setHead = { order: 2, length: 4, answers: 8, count: 10, turn: 12, stride: 14, bytes: 16 } as const;

/** Bit of a node's rules: types that it lacks are forwarded. */
export const forwardsOtherTypes = 1;
/** Bit: and so are those for A and AAAA, without which they are the only ones that are not. */
export const forwardsAddresses = 2;

/** First byte of a key's node in the place of a name. No label is so long, so no question finds it. */
export const keyMark = 0xff;

export const orders = { fixed: 0, turns: 1, weighted: 2 } as const;

/** Where what follows the name of a node begins. */
export function behindName(node: number, nameBytes: number): number {
  return node + nodeHead.bytes + ((nameBytes + 3) & ~3);
}

/** Where the first set of the node begins, after which the others follow. */
function setsAt(view: DataView, node: number): number {
  return behindName(node, view.getUint16(node + nodeHead.nameBytes));
}

/** Where the set of this type begins; -1 when the node has none. */
export function findSet(view: DataView, node: number, type: number): number {
  let at = setsAt(view, node);
  for (let left = view.getUint8(node + nodeHead.sets); left > 0; left -= 1) {
    if (view.getUint16(at) === type) return at;
    at += view.getInt32(at + setHead.length);
  }
  return -1;
}

/** Where the first record of the set begins. */
export function recordsAt(view: DataView, set: number): number {
  const isWeighted = view.getUint8(set + setHead.order) === orders.weighted;
  return set + setHead.bytes + (isWeighted ? 6 * view.getUint16(set + setHead.count) : 0);
}

/** Where the record of this number begins. */
export function recordAt(view: DataView, set: number, index: number): number {
  const first = recordsAt(view, set);
  if (index === 0) return first;
  const stride = view.getUint16(set + setHead.stride);
  if (stride > 0) return first + index * stride;
  let at = first;
  for (let left = index; left > 0; left -= 1) at += recordHeadBytes + view.getUint16(at + 10);
  return at;
}

/**
 * Smooth weighted round-robin, as in nginx's upstream module: each record earns its weight with every answer, and the one
 * that has earned most is first and pays what all earned together. Shares are exact over the sum of the weights.
 */
function takeWeightedTurn(view: DataView, set: number): number {
  const count = view.getUint16(set + setHead.count);
  const weights = set + setHead.bytes;
  const credits = weights + 2 * count;
  let total = 0;
  let best = 0;
  let most = -0x8000_0000;
  for (let index = 0; index < count; index += 1) {
    const weight = view.getUint16(weights + 2 * index);
    if (weight === 0) continue;
    const credit = view.getInt32(credits + 4 * index) + weight;
    view.setInt32(credits + 4 * index, credit);
    total += weight;
    if (credit > most) {
      most = credit;
      best = index;
    }
  }
  if (total > 0) view.setInt32(credits + 4 * best, most - total);
  return best;
}

/** Number of the record that is first in this answer; the next answer is the next one's. */
export function takeTurn(view: DataView, set: number): number {
  const order = view.getUint8(set + setHead.order);
  if (order === orders.fixed) return 0;
  if (order === orders.weighted) return takeWeightedTurn(view, set);
  const turn = view.getUint16(set + setHead.turn);
  const next = turn + 1;
  view.setUint16(set + setHead.turn, next === view.getUint16(set + setHead.count) ? 0 : next);
  return turn;
}

/** True when not every answer begins with the same record. */
export function takesTurns(view: DataView, set: number): boolean {
  return view.getUint8(set + setHead.order) !== orders.fixed && view.getUint16(set + setHead.count) > 1;
}

function carrySet(view: DataView, set: number, oldView: DataView, oldSet: number): void {
  const order = view.getUint8(set + setHead.order);
  if (order !== oldView.getUint8(oldSet + setHead.order)) return;
  const count = view.getUint16(set + setHead.count);
  if (order === orders.turns) {
    view.setUint16(set + setHead.turn, oldView.getUint16(oldSet + setHead.turn) % count);
  } else if (count === oldView.getUint16(oldSet + setHead.count)) {
    const credits = set + setHead.bytes + 2 * count;
    const oldCredits = oldSet + setHead.bytes + 2 * count;
    for (let at = 0; at < 4 * count; at += 4) view.setInt32(credits + at, oldView.getInt32(oldCredits + at));
  }
}

/**
 * Lets the sets of a node go on where those of the node that it replaces were. Turns are a matter of places in the list,
 * not of what stands there: a service that changes several times a second would otherwise begin with its first target for
 * ever. Credits go on while there are as many records, however their weights changed, as they do in slow start.
 */
export function carryTurns(view: DataView, node: number, oldView: DataView, oldNode: number): void {
  let set = setsAt(view, node);
  for (let left = view.getUint8(node + nodeHead.sets); left > 0; left -= 1) {
    if (view.getUint8(set + setHead.order) !== orders.fixed) {
      const oldSet = findSet(oldView, oldNode, view.getUint16(set));
      if (oldSet !== -1) carrySet(view, set, oldView, oldSet);
    }
    set += view.getInt32(set + setHead.length);
  }
}
