/** Packets that pass in one system call at most. */
export const batchSize = 64;
/** Longer queries are cut, and refused by whoever reads them: no honest one comes near. */
export const maxQueryBytes = 4096;

/**
 * `struct mmsghdr` and `struct iovec` of 64-bit Linux with low bytes first (recvmmsg(2), readv(2)), in bytes. In musl two
 * of the fields are four bytes and four of padding, which with low bytes first and zeros there is the same.
 */
export const messageLayout = {
  bytes: 64,
  name: 0,
  nameLength: 8,
  vectors: 16,
  vectorCount: 24,
  flags: 48,
  length: 56,
} as const;
export const vectorLayout = { bytes: 16, base: 0, length: 8 } as const;

const nameBytes = 28;
/**
 * Replies take `maxUdpReplyBytes` at most, rounded up to whole lines of the processor's cache (64 bytes). Queries lie one
 * line more apart than they are long: things that are 4096 bytes apart share the few places that a cache has for them.
 */
const stride = { name: 32, query: maxQueryBytes + 64, reply: 1280 } as const;
const slots = batchSize + 1;

/** Where each part begins; all are multiples of eight, as the structures ask for. */
const places = (() => {
  let end = 0;
  const take = (bytes: number) => {
    end += bytes;
    return end - bytes;
  };
  return {
    asked: take(batchSize * messageLayout.bytes),
    answered: take(slots * messageLayout.bytes),
    askedVectors: take(batchSize * vectorLayout.bytes),
    answeredVectors: take(slots * vectorLayout.bytes),
    names: take(slots * stride.name),
    queries: take(batchSize * stride.query),
    replies: take(slots * stride.reply),
    end: take(0),
  };
})();

export const nameAt = (slot: number) => places.names + slot * stride.name;
export const queryAt = (slot: number) => places.queries + slot * stride.query;

/** The address of a client, copied away for an answer that comes later. */
export interface KeptAddress {
  readonly name: Uint8Array;
  readonly nameLength: number;
}

/**
 * The memory through which packets pass: `batchSize` slots to receive and answer in, and a spare one for an answer that
 * was not ready at once. Its own addresses are written into it once; the kernel and we fill in the rest.
 */
export interface BatchMemory {
  readonly bytes: Uint8Array;
  /** Address of the array of received messages. */
  readonly askedAddress: bigint;
  /** Address of each slot's message in the array of answers. */
  readonly answerAddresses: readonly bigint[];
  /** Where the answer of each slot is written. */
  readonly replies: readonly Uint8Array[];
  /** Makes the first `count` slots ready to receive. */
  expect(count: number): void;
  /** Bytes that came into this slot. */
  received(slot: number): number;
  /** Sends the `length` bytes in reply slot `answer` to whoever wrote what is in slot `asked`. */
  address(answer: number, asked: number, length: number): void;
  keep(asked: number): KeptAddress;
  /** Puts a reply into the spare slot, `batchSize`, and addresses it. */
  fillSpare(reply: Uint8Array, to: KeptAddress): void;
}

/** Memory of which `addressOf` says where it lies. */
export function createBatchMemory(addressOf: (memory: Uint8Array) => bigint): BatchMemory {
  const bytes = new Uint8Array(new ArrayBuffer(places.end));
  const words = new Uint32Array(bytes.buffer);
  const base = addressOf(bytes);
  for (let slot = 0; slot < slots; slot += 1) {
    if (slot < batchSize) layMessage(bytes, base, slot, 'asked');
    layMessage(bytes, base, slot, 'answered');
  }
  return {
    bytes,
    askedAddress: base + BigInt(places.asked),
    answerAddresses: everySlot((slot) => base + BigInt(places.answered + slot * messageLayout.bytes)),
    replies: everySlot((slot) => bytes.subarray(replyAt(slot), replyAt(slot) + stride.reply)),
    ...fields(words),
    ...keeping(bytes, words),
  };
}

const replyAt = (slot: number) => places.replies + slot * stride.reply;
const everySlot = <T>(make: (slot: number) => T): T[] => Array.from({ length: slots }, (_, slot) => make(slot));
// Two functions in place of one with the kind as its key: such a look-up would be done five times for each packet.
const askedWord = (slot: number, field: number) => (places.asked + slot * messageLayout.bytes + field) >> 2;
const answeredWord = (slot: number, field: number) => (places.answered + slot * messageLayout.bytes + field) >> 2;
const vectorWord = (slot: number) => (places.answeredVectors + slot * vectorLayout.bytes + vectorLayout.length) >> 2;

/** Writes the pointers of one message, which all lead into the same memory. */
function layMessage(bytes: Uint8Array, base: bigint, slot: number, kind: 'asked' | 'answered'): void {
  const longs = new BigUint64Array(bytes.buffer);
  const isAsked = kind === 'asked';
  const message = places[kind] + slot * messageLayout.bytes;
  const vector = places[isAsked ? 'askedVectors' : 'answeredVectors'] + slot * vectorLayout.bytes;
  const point = (at: number, to: number) => {
    longs[at / 8] = base + BigInt(to);
  };
  point(message + messageLayout.name, nameAt(slot));
  point(message + messageLayout.vectors, vector);
  longs[(message + messageLayout.vectorCount) / 8] = 1n;
  point(vector + vectorLayout.base, isAsked ? queryAt(slot) : replyAt(slot));
  longs[(vector + vectorLayout.length) / 8] = isAsked ? BigInt(maxQueryBytes) : 0n;
}

/** What is read and written for every packet, as words of four bytes: the upper halves of lengths stay zero. */
function fields(words: Uint32Array) {
  const { name, nameLength, flags, length } = messageLayout;
  return {
    expect(count: number) {
      for (let slot = 0; slot < count; slot += 1) {
        words[askedWord(slot, nameLength)] = nameBytes;
        words[askedWord(slot, flags)] = 0;
      }
    },
    received: (slot: number) => words[askedWord(slot, length)] as number,
    address(answer: number, asked: number, bytes: number) {
      const from = askedWord(asked, 0);
      const to = answeredWord(answer, 0);
      words[to + name / 4] = words[from + name / 4] as number;
      words[to + name / 4 + 1] = words[from + name / 4 + 1] as number;
      words[to + nameLength / 4] = words[from + nameLength / 4] as number;
      words[vectorWord(answer)] = bytes;
    },
  };
}

function keeping(bytes: Uint8Array, words: Uint32Array) {
  const { nameLength } = messageLayout;
  return {
    keep: (asked: number): KeptAddress => ({
      name: bytes.slice(nameAt(asked), nameAt(asked) + nameBytes),
      nameLength: words[askedWord(asked, nameLength)] as number,
    }),
    fillSpare(reply: Uint8Array, to: KeptAddress) {
      bytes.set(reply.subarray(0, stride.reply), replyAt(batchSize));
      bytes.set(to.name, nameAt(batchSize));
      words[answeredWord(batchSize, nameLength)] = to.nameLength;
      words[vectorWord(batchSize)] = Math.min(reply.length, stride.reply);
    },
  };
}
