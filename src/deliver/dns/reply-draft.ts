import { optBytes, writeOpt } from './edns.ts';
import { findSet, recordAt, recordsAt, setHead, takeTurn } from './layout.ts';
import type { Query } from './question.ts';
import { maxUdpReplyBytes } from './responder.ts';
import {
  byteAt,
  classInternet,
  headerBytes,
  readInt32,
  readUint16,
  recordHeadBytes,
  recordTypes,
  writeInt32,
  writeUint16,
} from './wire.ts';

/** What every reply over UDP may have, with or without EDNS (RFC 1035 section 2.3.4). */
const leastUdpReplyBytes = 512;

/** A reply in the making. One object is used again for every reply. */
export interface Reply {
  bytes: Uint8Array;
  /** Where the next record goes. */
  at: number;
  /** Where records must end; the room for OPT is not counted. */
  limit: number;
  answers: number;
  authorities: number;
  additionals: number;
  isAuthoritative: boolean;
  /** Something that belongs into the reply is not in it. */
  isTruncated: boolean;
}

export function createReply(): Reply {
  return {
    bytes: new Uint8Array(0),
    at: 0,
    limit: 0,
    answers: 0,
    authorities: 0,
    additionals: 0,
    isAuthoritative: false,
    isTruncated: false,
  };
}

/** The most that a reply may have: over UDP what the asker takes, but what passes everywhere (RFC 6891 section 6.2.5). */
function limitOf({ edns }: Query, transportBytes: number): number {
  if (transportBytes > maxUdpReplyBytes) return transportBytes;
  return Math.min(transportBytes, edns.isPresent ? Math.max(leastUdpReplyBytes, edns.udpBytes) : leastUdpReplyBytes);
}

function copy(from: Uint8Array, at: number, to: Uint8Array, toAt: number, length: number): void {
  for (let index = 0; index < length; index += 1) to[toAt + index] = from[at + index] as number;
}

/** Begins a reply with the question as it was sent, bytes and case. */
export function beginReply(
  reply: Reply,
  into: Uint8Array,
  query: Query,
  bytes: Uint8Array,
  start: number,
  limit: number,
): void {
  copy(bytes, start, into, 0, headerBytes + query.questionBytes);
  reply.bytes = into;
  reply.at = headerBytes + query.questionBytes;
  reply.limit = Math.min(limitOf(query, limit), into.length) - (query.edns.isPresent ? optBytes : 0);
  reply.answers = 0;
  reply.authorities = 0;
  reply.additionals = 0;
  reply.isAuthoritative = false;
  reply.isTruncated = false;
}

/** Writes flags, counts and OPT, and gives the length. The reply has the query's header until now. */
export function endReply(reply: Reply, query: Query, code: number, forwards: boolean): number {
  const { bytes } = reply;
  const [asked, cd] = [byteAt(bytes, 2), byteAt(bytes, 3) & 0x10];
  bytes[2] = 0x80 | (asked & 0x79) | (reply.isAuthoritative ? 4 : 0) | (reply.isTruncated ? 2 : 0);
  bytes[3] = (forwards ? 0x80 : 0) | cd | (code & 15);
  writeUint16(bytes, 4, query.questionBytes > 0 ? 1 : 0);
  writeUint16(bytes, 6, reply.answers);
  writeUint16(bytes, 8, reply.authorities);
  writeUint16(bytes, 10, reply.additionals + (query.edns.isPresent ? 1 : 0));
  if (!query.edns.isPresent) return reply.at;
  return writeOpt(bytes, reply.at, maxUdpReplyBytes, code, query.edns.isDnssecOk);
}

/** Copies records of a set from the one of this number on, as many as it gives in one answer and as fit; says how many. */
function copyRecords(reply: Reply, bytes: Uint8Array, set: number, first: number, owner: number): number {
  const count = readUint16(bytes, set + setHead.count);
  const wanted = readUint16(bytes, set + setHead.answers);
  let index = first;
  let from = recordAt(bytes, set, first);
  for (let done = 0; done < wanted; done += 1) {
    const length = recordHeadBytes + readUint16(bytes, from + 10);
    if (reply.at + length > reply.limit) return done;
    copy(bytes, from, reply.bytes, reply.at, length);
    writeUint16(reply.bytes, reply.at, 0xc000 | owner);
    reply.at += length;
    from += length;
    index += 1;
    if (index === count) {
      index = 0;
      from = recordsAt(bytes, set);
    }
  }
  return wanted;
}

/** Adds the records whose turn it is to the answer. Their owner is the name at `owner` of the reply. */
export function addAnswers(reply: Reply, bytes: Uint8Array, set: number, owner: number): void {
  const done = copyRecords(reply, bytes, set, takeTurn(bytes, set), owner);
  reply.answers += done;
  if (done < readUint16(bytes, set + setHead.answers)) reply.isTruncated = true;
}

/** Adds the addresses at a node as additional records, those that fit (RFC 2181 section 9). */
export function addAddresses(reply: Reply, bytes: Uint8Array, node: number, owner: number): void {
  const four = findSet(bytes, node, recordTypes.A);
  if (four !== -1) reply.additionals += copyRecords(reply, bytes, four, 0, owner);
  const six = findSet(bytes, node, recordTypes.AAAA);
  if (six !== -1) reply.additionals += copyRecords(reply, bytes, six, 0, owner);
}

/** Adds the SOA of a negative answer, whose TTL says for how long that may be kept (RFC 2308 section 3). */
export function addNegative(reply: Reply, bytes: Uint8Array, set: number, owner: number): void {
  const at = reply.at;
  if (copyRecords(reply, bytes, set, 0, owner) === 0) {
    reply.isTruncated = true;
    return;
  }
  reply.authorities += 1;
  const ttl = readInt32(reply.bytes, at + 6);
  writeInt32(reply.bytes, at + 6, Math.min(ttl, readInt32(reply.bytes, reply.at - 4)));
}

/** HINFO "RFC8482" and an empty string, valid for an hour. */
const anyData = Uint8Array.of(7, ...new TextEncoder().encode('RFC8482'), 0);
const anyTtlSeconds = 3600;

/** Answers ANY with one small record that stands for all (RFC 8482 section 4.2). */
export function addAny(reply: Reply): void {
  const { bytes, at } = reply;
  writeUint16(bytes, at, 0xc000 | headerBytes);
  writeUint16(bytes, at + 2, recordTypes.HINFO);
  writeUint16(bytes, at + 4, classInternet);
  writeInt32(bytes, at + 6, anyTtlSeconds);
  writeUint16(bytes, at + 10, anyData.length);
  copy(anyData, 0, bytes, at + recordHeadBytes, anyData.length);
  reply.at = at + recordHeadBytes + anyData.length;
  reply.answers = 1;
}
