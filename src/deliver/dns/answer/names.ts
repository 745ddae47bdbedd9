/** RFC 1035 section 2.3.4. */
const longestName = 255;
const longestLabel = 63;

/** A name taken apart. One object is used again for every name. */
export interface Name {
  /** The name as labels, ASCII letters in lower case, up to and with the root's zero, and three zeros more. */
  readonly lower: DataView;
  /** Where in `lower` each label begins; the last is the root. */
  readonly labelAt: Uint8Array;
  /** Hash of the name from that label on, by which the table finds it. */
  readonly hashes: Int32Array;
  /** Without the root. */
  labels: number;
  /** With the root. */
  bytes: number;
}

/** Bytes for a name, and for the rest of the words in which it is handled. */
const roomForName = 264;

export function createName(): Name {
  return {
    lower: new DataView(new ArrayBuffer(roomForName)),
    labelAt: new Uint8Array(128),
    hashes: new Int32Array(128),
    labels: 0,
    bytes: 0,
  };
}

const rootHash = 0x2545f491;

/** One step for four bytes. Names of the table are our own, so that nobody can choose them to collide. */
export function mixHash(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/**
 * Four bytes with ASCII capitals in lower case and every other byte as it is (RFC 4343). The sums set the high bit of each
 * byte from A on, and from the one behind Z on; where only the first has it, there is a capital. Lengths of labels are below A.
 */
function lowered(word: number): number {
  const seven = word & 0x7f7f7f7f;
  const fromA = (seven + 0x3f3f3f3f) | 0;
  const behindZ = (seven + 0x25252525) | 0;
  return word | (((fromA ^ behindZ) & ~word & 0x80808080) >>> 2);
}

/** Finds the labels. */
function measure(source: Uint8Array, at: number, end: number, name: Name): boolean {
  const { labelAt } = name;
  let labels = 0;
  let to = 0;
  for (;;) {
    if (at + to >= end) return false;
    const length = source[at + to] as number;
    labelAt[labels] = to;
    if (length === 0) break;
    // The label, its length and at least the root after it.
    if (length > longestLabel || to + length + 2 > longestName) return false;
    to += length + 1;
    labels += 1;
  }
  name.labels = labels;
  name.bytes = to + 1;
  return true;
}

/** Copies the name in lower case, and as it is to `echo`, four bytes at a time: half of the time of an answer goes into names. */
function copyName(source: Uint8Array, at: number, name: Name, echo: DataView, echoAt: number): void {
  const { lower, bytes } = name;
  let one = 0;
  for (; one + 4 <= bytes; one += 4) {
    const from = at + one;
    const high = ((source[from] as number) << 24) | ((source[from + 1] as number) << 16);
    const word = high | ((source[from + 2] as number) << 8) | (source[from + 3] as number);
    echo.setInt32(echoAt + one, word);
    lower.setInt32(one, lowered(word));
  }
  for (; one < bytes; one += 1) {
    const byte = source[at + one] as number;
    echo.setUint8(echoAt + one, byte);
    lower.setUint8(one, lowered(byte));
  }
  lower.setInt32(bytes, 0);
}

/** Hashes from the root on, so that the hash of every name above comes with that of the name. */
function hashLabels(name: Name): void {
  const { lower, labelAt, hashes } = name;
  let hash = rootHash;
  let end = name.bytes - 1;
  hashes[name.labels] = hash;
  for (let label = name.labels - 1; label >= 0; label -= 1) {
    const from = labelAt[label] as number;
    let at = from;
    for (; at + 4 <= end; at += 4) hash = mixHash(hash, lower.getInt32(at));
    if (at < end) hash = mixHash(hash, lower.getInt32(at) >>> (8 * (at + 4 - end)));
    hashes[label] = hash;
    end = from;
  }
}

const nowhere = new DataView(new ArrayBuffer(roomForName));

/**
 * Takes the name at `source[at]` apart. False when it is not whole before `end`, is too long, or is not made of plain
 * labels: pointers and the other kinds of labels have no place in a question (RFC 1035 section 4.1.4, RFC 6891 section 5).
 * With `echo` the name is copied there as well, letter by letter.
 */
export function readName(
  source: Uint8Array,
  at: number,
  end: number,
  name: Name,
  echo: DataView = nowhere,
  echoAt: number = 0,
): boolean {
  if (!measure(source, at, end, name)) return false;
  copyName(source, at, name, echo, echoAt);
  hashLabels(name);
  return true;
}

/** A label of one byte, `*`. */
const wildcardLabel = 0x012a;

/** Hash of `*` before the name that begins at a label. */
export function wildcardHash(name: Name, label: number): number {
  return mixHash(name.hashes[label] as number, wildcardLabel);
}

/**
 * Writes `*` in front of the name that begins at a label (not the first), and says where that begins. What stood there
 * is gone: this is done once nothing but the names above is asked for any more.
 */
export function putWildcard(name: Name, label: number): number {
  // The label before has a length and at least one letter, so there is room.
  const at = (name.labelAt[label] as number) - 2;
  name.lower.setUint16(at, wildcardLabel);
  return at;
}
