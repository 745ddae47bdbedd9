import { readInt32, readUint16, recordHeadBytes, writeInt32, writeUint16 } from './wire.ts';

/**
 * How a chapter stands in memory: compile.ts writes it, the table reads it and keeps the turns of its sets in it. Numbers
 * have their high byte first, places count from the chapter's own beginning, so that a chapter can be moved as it is.
 *
 * chapter: length 4, number of names 4, then a node for its key and one for each name
 * node:    hash 4, length 4, rules 1, labels of the apex 1, sets 1, unused 1, length of the name 2, the name, the sets
 * set:     type 2, order 1, unused 1, length 4, answers 2, count 2, turn 2, stride 2, [weights 2, credits 4], the records
 * record:  C0 0C (the name in the question), type, class, TTL, length, data
 */
export const chapterHead = { names: 4, bytes: 8 } as const;
export const nodeHead = { length: 4, rules: 8, apexLabels: 9, sets: 10, nameBytes: 12, bytes: 14 } as const;
export const setHead = { order: 2, length: 4, answers: 8, count: 10, turn: 12, stride: 14, bytes: 16 } as const;

/** Bit of a node's rules: types that it lacks are forwarded. */
export const forwardsOtherTypes = 1;
/** Bit: and so are those for A and AAAA, without which they are the only ones that are not. */
export const forwardsAddresses = 2;

/** First byte of a key's node in the place of a name. No label is so long, so no question finds it. */
export const keyMark = 0xff;

export const orders = { fixed: 0, turns: 1, weighted: 2 } as const;

/** Where the first set of the node begins, after which the others follow. */
export function setsAt(bytes: Uint8Array, node: number): number {
  return node + nodeHead.bytes + readUint16(bytes, node + nodeHead.nameBytes);
}

/** Where the set of this type begins; -1 when the node has none. */
export function findSet(bytes: Uint8Array, node: number, type: number): number {
  let at = setsAt(bytes, node);
  for (let left = bytes[node + nodeHead.sets] as number; left > 0; left -= 1) {
    if (readUint16(bytes, at) === type) return at;
    at += readInt32(bytes, at + setHead.length);
  }
  return -1;
}

/** Where the first record of the set begins. */
export function recordsAt(bytes: Uint8Array, set: number): number {
  const isWeighted = bytes[set + setHead.order] === orders.weighted;
  return set + setHead.bytes + (isWeighted ? 6 * readUint16(bytes, set + setHead.count) : 0);
}

/** Where the record of this number begins. */
export function recordAt(bytes: Uint8Array, set: number, index: number): number {
  const first = recordsAt(bytes, set);
  const stride = readUint16(bytes, set + setHead.stride);
  if (stride > 0) return first + index * stride;
  let at = first;
  for (let left = index; left > 0; left -= 1) at += recordHeadBytes + readUint16(bytes, at + 10);
  return at;
}

/**
 * Smooth weighted round-robin, as in nginx's upstream module: each record earns its weight with every answer, and the one
 * that has earned most is first and pays what all earned together. Shares are exact over the sum of the weights.
 */
function takeWeightedTurn(bytes: Uint8Array, set: number): number {
  const count = readUint16(bytes, set + setHead.count);
  const weights = set + setHead.bytes;
  const credits = weights + 2 * count;
  let total = 0;
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < count; index += 1) {
    const weight = readUint16(bytes, weights + 2 * index);
    if (weight === 0) continue;
    const credit = readInt32(bytes, credits + 4 * index) + weight;
    writeInt32(bytes, credits + 4 * index, credit);
    total += weight;
    if (credit > most) [most, best] = [credit, index];
  }
  if (total > 0) writeInt32(bytes, credits + 4 * best, most - total);
  return best;
}

/** Number of the record that is first in this answer; the next answer is the next one's. */
export function takeTurn(bytes: Uint8Array, set: number): number {
  const order = bytes[set + setHead.order];
  if (order === orders.fixed) return 0;
  if (order === orders.weighted) return takeWeightedTurn(bytes, set);
  const turn = readUint16(bytes, set + setHead.turn);
  const next = turn + 1;
  writeUint16(bytes, set + setHead.turn, next === readUint16(bytes, set + setHead.count) ? 0 : next);
  return turn;
}

function carrySet(bytes: Uint8Array, set: number, oldBytes: Uint8Array, oldSet: number): void {
  const order = bytes[set + setHead.order];
  if (order !== oldBytes[oldSet + setHead.order]) return;
  const count = readUint16(bytes, set + setHead.count);
  if (order === orders.turns) {
    writeUint16(bytes, set + setHead.turn, readUint16(oldBytes, oldSet + setHead.turn) % count);
  } else if (count === readUint16(oldBytes, oldSet + setHead.count)) {
    const credits = set + setHead.bytes + 2 * count;
    const oldCredits = oldSet + setHead.bytes + 2 * count;
    for (let at = 0; at < 4 * count; at += 1) bytes[credits + at] = oldBytes[oldCredits + at] as number;
  }
}

/**
 * Lets the sets of a node go on where those of the node that it replaces were. Turns are a matter of places in the list,
 * not of what stands there: a service that changes several times a second would otherwise begin with its first target for
 * ever. Credits go on while there are as many records, whose sum then stays zero.
 */
export function carryTurns(bytes: Uint8Array, node: number, oldBytes: Uint8Array, oldNode: number): void {
  let set = setsAt(bytes, node);
  for (let left = bytes[node + nodeHead.sets] as number; left > 0; left -= 1) {
    if (bytes[set + setHead.order] !== orders.fixed) {
      const oldSet = findSet(oldBytes, oldNode, readUint16(bytes, set));
      if (oldSet !== -1) carrySet(bytes, set, oldBytes, oldSet);
    }
    set += readInt32(bytes, set + setHead.length);
  }
}
