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
/** Up to here packets are copied quicker by a loop than by a call. */
const shortBytes = 128;

/** Where each part begins; all are multiples of eight, as the structures ask for. */
const places = (() => {
  let end = 0;
  const take = (bytes: number) => {
    end += bytes;
    return end - bytes;
  };
  return {
    asked: take(batchSize * messageLayout.bytes),
    answered: take(batchSize * messageLayout.bytes),
    askedVectors: take(batchSize * vectorLayout.bytes),
    answeredVectors: take(batchSize * vectorLayout.bytes),
    names: take(batchSize * stride.name),
    queries: take(batchSize * stride.query),
    replies: take(batchSize * stride.reply),
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
 * The memory through which packets pass: `batchSize` slots to receive and answer in. Its own addresses are written into it
 * once; the kernel and we fill in the rest.
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
  /** Puts a reply into this slot and addresses it. */
  fill(slot: number, reply: Uint8Array, to: KeptAddress): void;
  /** Has this answer be the reply and the address in this slot; what was said of the answer before is forgotten. */
  arrange(answer: number, slot: number): void;
}

/** Memory of which `addressOf` says where it lies. */
export function createBatchMemory(addressOf: (memory: Uint8Array) => bigint): BatchMemory {
  const bytes = new Uint8Array(new ArrayBuffer(places.end));
  const words = new Uint32Array(bytes.buffer);
  const base = addressOf(bytes);
  for (let slot = 0; slot < batchSize; slot += 1) {
    layMessage(bytes, base, slot, 'asked');
    layMessage(bytes, base, slot, 'answered');
  }
  return {
    bytes,
    askedAddress: base + BigInt(places.asked),
    answerAddresses: everySlot((slot) => base + BigInt(places.answered + slot * messageLayout.bytes)),
    replies: everySlot((slot) => bytes.subarray(replyAt(slot), replyAt(slot) + stride.reply)),
    ...fields(words),
    ...keeping(bytes, words, base),
  };
}

const replyAt = (slot: number) => places.replies + slot * stride.reply;
const everySlot = <T>(make: (slot: number) => T): T[] => Array.from({ length: batchSize }, (_, slot) => make(slot));
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

/** For answers that are not ready at once. Addresses are 64 bits, in two words. */
function keeping(bytes: Uint8Array, words: Uint32Array, base: bigint) {
  const { name: nameField, nameLength, vectors } = messageLayout;
  const pointers = (placeOf: (slot: number) => number) =>
    new Uint32Array(BigUint64Array.from({ length: batchSize }, (_, slot) => base + BigInt(placeOf(slot))).buffer);
  const names = pointers(nameAt);
  const vectorsOf = pointers((slot) => places.answeredVectors + slot * vectorLayout.bytes);
  const lengths = new Uint32Array(batchSize);
  const point = (word: number, from: Uint32Array, slot: number) => {
    words[word] = from[2 * slot] as number;
    words[word + 1] = from[2 * slot + 1] as number;
  };
  return {
    keep: (asked: number): KeptAddress => ({
      name: bytes.slice(nameAt(asked), nameAt(asked) + nameBytes),
      nameLength: words[askedWord(asked, nameLength)] as number,
    }),
    fill(slot: number, reply: Uint8Array, to: KeptAddress) {
      const length = Math.min(reply.length, stride.reply);
      const [at, name] = [replyAt(slot), nameAt(slot)];
      if (length > shortBytes) bytes.set(length < reply.length ? reply.subarray(0, length) : reply, at);
      else for (let n = 0; n < length; n += 1) bytes[at + n] = reply[n] as number;
      for (let n = 0; n < to.nameLength; n += 1) bytes[name + n] = to.name[n] as number;
      lengths[slot] = to.nameLength;
      words[vectorWord(slot)] = length;
    },
    arrange(answer: number, slot: number) {
      point(answeredWord(answer, nameField), names, slot);
      point(answeredWord(answer, vectors), vectorsOf, slot);
      words[answeredWord(answer, nameLength)] = lengths[slot] as number;
    },
  };
}
