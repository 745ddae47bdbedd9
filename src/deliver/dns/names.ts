import { byteAt } from './wire.ts';

/** RFC 1035 section 2.3.4. */
const longestName = 255;
const longestLabel = 63;

/** A name taken apart. One object is used again for every name. */
export interface Name {
  /** The name as labels, ASCII letters in lower case, up to and with the root's zero. */
  readonly lower: Uint8Array;
  /** Where in `lower` each label begins; the last is the root. */
  readonly labelAt: Uint8Array;
  /** Hash of the name from that label on, by which the table finds it. */
  readonly hashes: Int32Array;
  /** Without the root. */
  labels: number;
  /** With the root. */
  bytes: number;
}

export function createName(): Name {
  return {
    lower: new Uint8Array(longestName + 1),
    labelAt: new Uint8Array(128),
    hashes: new Int32Array(128),
    labels: 0,
    bytes: 0,
  };
}

/** ASCII letters in lower case, every other byte itself: names are compared so (RFC 4343). */
const lowered = new Uint8Array(256).map((_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));

const rootHash = 0x811c9dc5 | 0;

/** One step of FNV-1a, which needs no table and is quick for a few dozen bytes. */
function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** The hash of some bytes from their last to their first, so that a name goes on from the hash of what is above it. */
export function hashBackwards(bytes: Uint8Array, from: number, to: number, above: number = rootHash): number {
  let hash = above;
  for (let at = to - 1; at >= from; at -= 1) hash = hashByte(hash, bytes[at] as number);
  return hash;
}

function hashLabels(name: Name): void {
  const { lower, labelAt, hashes } = name;
  let hash = rootHash;
  let end = name.bytes - 1;
  hashes[name.labels] = hash;
  for (let label = name.labels - 1; label >= 0; label -= 1) {
    const from = labelAt[label] as number;
    hash = hashBackwards(lower, from, end, hash);
    hashes[label] = hash;
    end = from;
  }
}

/**
 * Takes the name at `source[at]` apart. False when it is not whole before `end`, is too long, or is not made of plain
 * labels: pointers and the other kinds of labels have no place in a question (RFC 1035 section 4.1.4, RFC 6891 section 5).
 */
export function readName(source: Uint8Array, at: number, end: number, name: Name): boolean {
  const { lower, labelAt } = name;
  let labels = 0;
  let to = 0;
  for (;;) {
    if (at + to >= end) return false;
    const length = byteAt(source, at + to);
    labelAt[labels] = to;
    lower[to] = length;
    if (length === 0) break;
    // The label, its length and at least the root after it.
    if (length > longestLabel || to + length + 2 > longestName || at + to + length >= end) return false;
    const last = to + length;
    for (to += 1; to <= last; to += 1) lower[to] = lowered[source[at + to] as number] as number;
    labels += 1;
  }
  name.labels = labels;
  name.bytes = to + 1;
  hashLabels(name);
  return true;
}

/** Hash of `*` before the name that begins at a label. */
export function wildcardHash(name: Name, label: number): number {
  return hashByte(hashByte(name.hashes[label] as number, 0x2a), 1);
}

/**
 * Writes `*` in front of the name that begins at a label (not the first), and says where that begins. What stood there
 * is gone: this is done once nothing but the names above is asked for any more.
 */
export function putWildcard(name: Name, label: number): number {
  // The label before has a length and at least one letter, so there is room.
  const at = (name.labelAt[label] as number) - 2;
  name.lower[at] = 1;
  name.lower[at + 1] = 0x2a;
  return at;
}
