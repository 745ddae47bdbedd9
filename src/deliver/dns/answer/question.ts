import { type Edns, readOpt } from './edns.ts';
import { createName, type Name, readName } from './names.ts';
import { headerBytes, readUint16, recordTypes } from './wire.ts';

/** A query taken apart. One object is used again for every query. */
export interface Query {
  readonly name: Name;
  readonly edns: Edns;
  /** The second pair of bytes of the header. */
  flags: number;
  /** Length of the question, which begins after the header; 0 when there is not exactly one that can be read. */
  questionBytes: number;
  type: number;
  class: number;
  /** Everything that its header announces is there, once each and well formed. */
  isWellFormed: boolean;
}

export function opcodeOf({ flags }: Query): number {
  return (flags >>> 11) & 15;
}

export function createQuery(): Query {
  return {
    name: createName(),
    edns: { isPresent: false, version: 0, udpBytes: 0, isDnssecOk: false },
    flags: 0,
    questionBytes: 0,
    type: 0,
    class: 0,
    isWellFormed: false,
  };
}

/** Where the bytes after an owner name begin; -1 when it is not whole. Its pointers end it and are not followed. */
function skipName(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const length = bytes[at] as number;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return -1;
    at += 1 + length;
  }
  return -1;
}

/**
 * Goes over the records after the question for the one OPT record that may be in the last section and has the root as
 * its name (RFC 6891 section 6.1.1). Records of other types are passed over; bytes behind the last one are ignored.
 */
function readRecords(bytes: Uint8Array, from: number, end: number, before: number, all: number, edns: Edns): boolean {
  let at = from;
  for (let index = 0; index < all; index += 1) {
    const head = skipName(bytes, at, end);
    if (head === -1 || head + 10 > end) return false;
    const next = head + 10 + readUint16(bytes, head + 8);
    if (next > end) return false;
    if (readUint16(bytes, head) === recordTypes.OPT) {
      const isMisplaced = edns.isPresent || index < before || head !== at + 1;
      if (!readOpt(bytes, head, next, edns) || isMisplaced) return false;
    }
    at = next;
  }
  return true;
}

/**
 * Takes the query `bytes[start, start + length)` apart. False for what must not be answered at all: less than a header,
 * or a reply, which two servers could otherwise throw at each other for ever. The question's name is copied to `echo`.
 */
export function readQuery(bytes: Uint8Array, start: number, length: number, query: Query, echo: DataView): boolean {
  if (length < headerBytes || ((bytes[start + 2] as number) & 0x80) !== 0) return false;
  const { name, edns } = query;
  const end = start + length;
  query.flags = readUint16(bytes, start + 2);
  query.questionBytes = 0;
  query.type = 0;
  query.class = 0;
  query.isWellFormed = false;
  edns.isPresent = false;
  edns.version = 0;
  edns.isDnssecOk = false;
  const question = start + headerBytes;
  if (readUint16(bytes, start + 4) !== 1 || !readName(bytes, question, end, name, echo, headerBytes)) {
    return true;
  }
  const after = question + name.bytes;
  if (after + 4 > end) return true;
  query.questionBytes = name.bytes + 4;
  query.type = readUint16(bytes, after);
  query.class = readUint16(bytes, after + 2);
  const before = readUint16(bytes, start + 6) + readUint16(bytes, start + 8);
  query.isWellFormed = readRecords(bytes, after + 4, end, before, before + readUint16(bytes, start + 10), edns);
  return true;
}
