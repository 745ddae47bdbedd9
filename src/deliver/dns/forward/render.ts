import { optBytes, writeOpt } from '../answer/edns.ts';
import { headerBytes, readUint16, writeUint16 } from '../answer/wire.ts';
import { maxUdpReplyBytes } from '../responder.ts';
import { flags, type Question } from './match.ts';
import type { Reply } from './reply.ts';

/** How old what is given is: seconds to take off each TTL, or the one TTL that all records get. */
export type Age = { readonly seconds: number } | { readonly ttlSeconds: number };

/** Just come from its server. */
export const fresh: Age = { seconds: 0 };

/**
 * Writes a reply for one client: its id, its bits RD and CD, the question as it spelled it, and OPT when it sent one.
 * RA is set; AA and AD are not, since hsdo neither owns these names nor proved anything about them. What is longer than
 * the client takes (`limitBytes` is the transport's; over UDP its EDNS counts too) ends behind a whole record, with TC
 * unless only additional records are missing.
 */
export function renderReply(question: Question, reply: Reply, age: Age, limitBytes: number): Buffer {
  const tailBytes = question.hasEdns ? optBytes : 0;
  const limit = (limitBytes > maxUdpReplyBytes ? limitBytes : Math.min(limitBytes, question.udpBytes)) - tailBytes;
  const kept = reply.length <= limit ? reply.records : recordsWithin(reply, limit);
  const length = kept === reply.records ? reply.length : recordsEnd(reply, kept);
  const out = Buffer.allocUnsafe(length + tailBytes);
  copy(reply.bytes, out, length);
  if ('ttlSeconds' in age || age.seconds > 0) for (let i = 0; i < kept; i += 1) grow(out, ttlPlace(reply, i), age);
  writeStart(question, out, reply.bytes, kept < reply.answers + reply.authorities);
  writeUint16(out, 6, Math.min(kept, reply.answers));
  writeUint16(out, 8, clamp(kept - reply.answers, reply.authorities));
  const others = clamp(kept - reply.answers - reply.authorities, reply.records);
  writeUint16(out, 10, others + (tailBytes > 0 ? 1 : 0));
  if (tailBytes > 0) addOpt(out, length, question.wantsDnssec);
  return out;
}

/** A reply with a code alone, such as for a failure that is remembered. */
export function renderCode(question: Question, code: number): Buffer {
  const out = Buffer.alloc(question.end + (question.hasEdns ? optBytes : 0));
  writeStart(question, out, undefined, false);
  out[3] = (out[3] as number) | code;
  if (!question.hasEdns) return out;
  out[11] = 1;
  addOpt(out, question.end, question.wantsDnssec);
  return out;
}

/** Lowers every TTL that is higher, in place; one with its highest bit set becomes 0 (RFC 2181 section 8). */
export function limitTtls(reply: Reply, maxSeconds: number): void {
  for (let record = 0; record < reply.records; record += 1) {
    const at = ttlPlace(reply, record);
    const ttl = reply.bytes.readUInt32BE(at);
    if (ttl > maxSeconds) reply.bytes.writeUInt32BE(ttl > 0x7fff_ffff ? 0 : maxSeconds, at);
  }
}

/** Where the TTL of a record stands. */
function ttlPlace(reply: Reply, record: number): number {
  return readUint16(reply.bytes, reply.length + 2 * record);
}

/** How many of the first records end within the limit. */
function recordsWithin(reply: Reply, limit: number): number {
  let count = 0;
  while (count < reply.records && recordsEnd(reply, count + 1) <= limit) count += 1;
  return count;
}

/** Where the first `count` records end. */
function recordsEnd(reply: Reply, count: number): number {
  if (count === 0) return reply.questionEnd;
  const lengthAt = ttlPlace(reply, count - 1) + 4;
  return lengthAt + 2 + readUint16(reply.bytes, lengthAt);
}

/** Short packets are copied quicker by a loop than by a call. */
function copy(from: Buffer, to: Buffer, length: number): void {
  if (length > 64) from.copy(to, 0, 0, length);
  else for (let at = 0; at < length; at += 1) to[at] = from[at] as number;
}

function grow(out: Buffer, at: number, age: Age): void {
  out.writeUInt32BE('ttlSeconds' in age ? age.ttlSeconds : Math.max(0, out.readUInt32BE(at) - age.seconds), at);
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(0, value), most);
}

/** Header and question; counts of records stay as they are. */
function writeStart(question: Question, out: Buffer, from: Uint8Array | undefined, isTruncated: boolean): void {
  const { query, end } = question;
  out[0] = query[0] as number;
  out[1] = query[1] as number;
  out[2] = flags.isReply | ((query[2] as number) & flags.wantsRecursion) | (isTruncated ? flags.isTruncated : 0);
  const code = from === undefined ? 0 : (from[3] as number) & flags.code;
  out[3] = flags.hasRecursion | ((query[3] as number) & flags.checkingDisabled) | code;
  out[4] = 0;
  out[5] = 1;
  for (let at = headerBytes; at < end; at += 1) out[at] = query[at] as number;
}

/** OPT with the size that hsdo takes, version 0 and the client's DO bit (RFC 6891 section 6.1.2, RFC 3225 section 3). */
export function addOpt(out: Buffer, at: number, wantsDnssec: boolean): void {
  writeOpt(new DataView(out.buffer, out.byteOffset, out.length), at, maxUdpReplyBytes, 0, wantsDnssec);
}
