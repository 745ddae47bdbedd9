import { randomBytes } from 'node:crypto';
import { optBytes } from '../answer/edns.ts';
import { headerBytes, readUint16, recordTypes } from '../answer/wire.ts';
import { maxUdpReplyBytes } from '../responder.ts';

/** Bits of the third and fourth byte of the header. */
export const flags = {
  isReply: 0x80,
  opcode: 0x78,
  isTruncated: 0x02,
  wantsRecursion: 0x01,
  hasRecursion: 0x80,
  checkingDisabled: 0x10,
  code: 0x0f,
} as const;

/** What a client asks, read once from its packet. */
export interface Question {
  readonly query: Uint8Array;
  /** Where the section of the question ends: behind name, type and class. */
  readonly end: number;
  readonly hasEdns: boolean;
  /** The DO bit (RFC 3225). */
  readonly wantsDnssec: boolean;
  /** Largest reply over UDP, by the client's EDNS (RFC 6891 section 6.2.5) and what passes everywhere. */
  readonly udpBytes: number;
  /**
   * Equal for questions that have one answer: name in lower case, type, class, and the bits RD, CD and DO. A question
   * without RD asks for what the server knows by itself, so its answer is no answer to others.
   */
  readonly key: string;
  /** Of the key. */
  readonly hash: number;
}

const longestName = 255;
const keyScratch = Buffer.alloc(longestName + 5);

const smallestUdpBytes = 512;
const hashStart = randomBytes(4).readInt32BE(0);

/**
 * Reads a query of one question. `undefined` for one that is cut short or spelled wrong; what was said of it before is
 * not relied on, since a packet of a stranger is read here.
 */
export function readQuestion(query: Uint8Array): Question | undefined {
  if (query.length < headerBytes + 5) return undefined;
  if (query[4] !== 0 || query[5] !== 1) return undefined;
  const nameEnd = lowerName(query);
  const end = nameEnd + 4;
  if (nameEnd < 0 || end > query.length) return undefined;
  const opt = findOpt(query, end);
  const hasEdns = opt > 0;
  const wantsDnssec = hasEdns && ((query[opt + 7] as number) & 0x80) !== 0;
  const asked = hasEdns ? readUint16(query, opt + 3) : 0;
  const recursion = (query[2] as number) & flags.wantsRecursion;
  const checking = (query[3] as number) & flags.checkingDisabled;
  const keyEnd = end - headerBytes;
  for (let at = nameEnd; at < end; at += 1) keyScratch[at - headerBytes] = query[at] as number;
  keyScratch[keyEnd] = recursion | checking | (wantsDnssec ? 2 : 0);
  return {
    query,
    end,
    hasEdns,
    wantsDnssec,
    udpBytes: Math.max(smallestUdpBytes, Math.min(asked, maxUdpReplyBytes)),
    key: keyScratch.toString('latin1', 0, keyEnd + 1),
    hash: hashOfKey(keyEnd + 1),
  };
}

/** FNV-1a, from a start of this process alone, so that nobody knows which keys share a hash. */
function hashOfKey(end: number): number {
  let hash = hashStart;
  for (let at = 0; at < end; at += 1) hash = Math.imul(hash ^ (keyScratch[at] as number), 0x0100_0193);
  return hash ^ (hash >>> 15);
}

/** Writes the name of the question in lower case to the key and gives its end; -1 for one that is not right. */
function lowerName(query: Uint8Array): number {
  let at = headerBytes;
  for (;;) {
    const size = query[at];
    if (size === undefined || size > 63 || at - headerBytes + size + 1 > longestName) return -1;
    keyScratch[at - headerBytes] = size;
    if (size === 0) return at + 1;
    for (const last = at + size; at < last; ) {
      at += 1;
      keyScratch[at - headerBytes] = lower(query[at] ?? 0);
    }
    at += 1;
  }
}

/** The letters A to Z in lower case, all other bytes as they are (RFC 4343). */
function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** Equal but for the case of a letter. */
export function isSameLetter(one: number, other: number): boolean {
  return one === other || lower(one) === lower(other);
}

/** Where the OPT record of a query begins; 0 without one. It is looked for behind plain records, within the packet. */
function findOpt(query: Uint8Array, start: number): number {
  const records = readUint16(query, 6) + readUint16(query, 8) + readUint16(query, 10);
  let at = start;
  for (let record = 0; record < records && at + optBytes <= query.length; record += 1) {
    if (query[at] === 0 && readUint16(query, at + 1) === recordTypes.OPT) return at;
    while (at < query.length && query[at] !== 0 && (query[at] as number) < 0xc0) at += (query[at] as number) + 1;
    at += (query[at] ?? 0) >= 0xc0 ? 2 : 1;
    if (at + 10 > query.length) return 0;
    at += 10 + readUint16(query, at + 8);
  }
  return 0;
}

/**
 * How a packet answers the one that was sent, whose question ends at `end`: `same`: id and question are equal byte by
 * byte; `respelled`: they are but for the case of letters; `bare`: equal id and a complaint without any question, as
 * servers send that understand nothing; `foreign`: anything else (RFC 5452 section 9.1).
 */
export function compareReply(
  reply: Uint8Array,
  sent: Uint8Array,
  end: number,
): 'same' | 'respelled' | 'bare' | 'foreign' {
  if (reply.length < headerBytes || reply[0] !== sent[0] || reply[1] !== sent[1]) return 'foreign';
  if (((reply[2] as number) & (flags.isReply | flags.opcode)) !== flags.isReply) return 'foreign';
  if (reply[4] !== 0 || reply[5] !== 1) {
    const isBare = reply.length === headerBytes && readUint16(reply, 4) === 0;
    return isBare && ((reply[3] as number) & flags.code) !== 0 ? 'bare' : 'foreign';
  }
  if (reply.length < end) return 'foreign';
  let isSame = true;
  for (let at = headerBytes; at < end; at += 1) {
    const [here, there] = [reply[at] as number, sent[at] as number];
    if (here === there) continue;
    // Type and class stand in the last four bytes, where 0x41 is a number and no letter.
    if (at >= end - 4 || !isSameLetter(here, there)) return 'foreign';
    isSame = false;
  }
  return isSame ? 'same' : 'respelled';
}
