import { maxUdpReplyBytes } from '../responder.ts';
import { optBytes, writeOpt } from './edns.ts';
import { findSet, recordAt, recordsAt, setHead, takesTurns, takeTurn } from './layout.ts';
import type { Query } from './question.ts';
import { viewOf } from './views.ts';
import { classInternet, headerBytes, readUint16, recordHeadBytes, recordTypes } from './wire.ts';

/** What every reply over UDP may have, with or without EDNS (RFC 1035 section 2.3.4). */
const leastUdpReplyBytes = 512;

/** The sets in the answer that have several records and give them in turns. */
export interface Turn {
  sets: number;
  /** Of the last of them: what it lies in, its place there, which record was first, where that is in the reply, and how many
   * of its records are there. */
  view: DataView;
  set: number;
  first: number;
  at: number;
  given: number;
}

/** A reply in the making. One object is used again for every reply. */
export interface Draft {
  /** What it is written into, as bytes and as what writes numbers. */
  bytes: Uint8Array;
  view: DataView;
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
  readonly turn: Turn;
}

export function createDraft(): Draft {
  const bytes = new Uint8Array(0);
  const view = new DataView(bytes.buffer);
  return {
    bytes,
    view,
    at: 0,
    limit: 0,
    answers: 0,
    authorities: 0,
    additionals: 0,
    isAuthoritative: false,
    isTruncated: false,
    turn: { sets: 0, view, set: 0, first: 0, at: 0, given: 0 },
  };
}

/** Has the next reply written into these bytes. */
export function aim(draft: Draft, into: Uint8Array): void {
  if (draft.bytes === into) return;
  draft.bytes = into;
  draft.view = viewOf(into);
}

/** The most that a reply may have: over UDP what the asker takes, but what passes everywhere (RFC 6891 section 6.2.5). */
function limitOf({ edns }: Query, transportBytes: number): number {
  if (transportBytes > maxUdpReplyBytes) return transportBytes;
  return Math.min(transportBytes, edns.isPresent ? Math.max(leastUdpReplyBytes, edns.udpBytes) : leastUdpReplyBytes);
}

/** Copies bytes, as many as can be at a time: records of addresses have a multiple of four. */
function copy(from: DataView, at: number, to: DataView, toAt: number, length: number): void {
  let one = 0;
  for (; one + 16 <= length; one += 16) {
    to.setInt32(toAt + one, from.getInt32(at + one));
    to.setInt32(toAt + one + 4, from.getInt32(at + one + 4));
    to.setInt32(toAt + one + 8, from.getInt32(at + one + 8));
    to.setInt32(toAt + one + 12, from.getInt32(at + one + 12));
  }
  for (; one + 4 <= length; one += 4) to.setInt32(toAt + one, from.getInt32(at + one));
  for (; one < length; one += 1) to.setUint8(toAt + one, from.getUint8(at + one));
}

/** Begins a reply to a query that was read, whose name already stands in it as it was sent: bytes and case. */
export function beginReply(draft: Draft, query: Query, bytes: Uint8Array, start: number, transportBytes: number): void {
  const { view } = draft;
  view.setUint16(0, readUint16(bytes, start));
  draft.at = headerBytes + query.questionBytes;
  if (query.questionBytes > 0) {
    view.setUint16(draft.at - 4, query.type);
    view.setUint16(draft.at - 2, query.class);
  }
  const limit = Math.min(limitOf(query, transportBytes), draft.bytes.length);
  draft.limit = query.edns.isPresent ? limit - optBytes : limit;
  draft.answers = 0;
  draft.authorities = 0;
  draft.additionals = 0;
  draft.isAuthoritative = false;
  draft.isTruncated = false;
  draft.turn.sets = 0;
}

/** Writes flags, counts and OPT, and gives the length. Opcode, RD and CD are the query's, AD and the reserved bit zero. */
export function endReply(draft: Draft, query: Query, code: number, forwards: boolean): number {
  const { view } = draft;
  const ours = 0x8000 | (draft.isAuthoritative ? 0x0400 : 0) | (draft.isTruncated ? 0x0200 : 0) | (forwards ? 0x80 : 0);
  view.setUint16(2, ours | (query.flags & 0x7910) | (code & 15));
  view.setUint16(4, query.questionBytes > 0 ? 1 : 0);
  view.setUint16(6, draft.answers);
  view.setUint16(8, draft.authorities);
  view.setUint16(10, query.edns.isPresent ? draft.additionals + 1 : draft.additionals);
  if (!query.edns.isPresent) return draft.at;
  return writeOpt(view, draft.at, maxUdpReplyBytes, code, query.edns.isDnssecOk);
}

/** Copies records of a set from the one of this number on, as many as it gives in one answer and as fit; says how many. */
function copyRecords(draft: Draft, from: DataView, set: number, first: number, owner: number): number {
  const { view, limit } = draft;
  const count = from.getUint16(set + setHead.count);
  const wanted = from.getUint16(set + setHead.answers);
  let index = first;
  let record = recordAt(from, set, first);
  let at = draft.at;
  let done = 0;
  for (; done < wanted; done += 1) {
    const length = recordHeadBytes + from.getUint16(record + 10);
    if (at + length > limit) break;
    copy(from, record, view, at, length);
    view.setUint16(at, 0xc000 | owner);
    at += length;
    record += length;
    index += 1;
    if (index === count) {
      index = 0;
      record = recordsAt(from, set);
    }
  }
  draft.at = at;
  return done;
}

function noteTurn(turn: Turn, at: number, given: number, view: DataView, set: number, first: number): void {
  turn.sets += 1;
  turn.given = given;
  turn.view = view;
  turn.set = set;
  turn.first = first;
  turn.at = at;
}

/** Adds the records whose turn it is to the answer. Their owner is the name at `owner` of the reply. */
export function addAnswers(draft: Draft, from: DataView, set: number, owner: number): void {
  const first = takeTurn(from, set);
  const { at } = draft;
  const done = copyRecords(draft, from, set, first, owner);
  if (takesTurns(from, set)) noteTurn(draft.turn, at, done, from, set, first);
  draft.answers += done;
  if (done < from.getUint16(set + setHead.answers)) draft.isTruncated = true;
}

/** Adds the addresses at a node as additional records, those that fit (RFC 2181 section 9). */
export function addAddresses(draft: Draft, from: DataView, node: number, owner: number): void {
  const four = findSet(from, node, recordTypes.A);
  if (four !== -1) draft.additionals += copyRecords(draft, from, four, 0, owner);
  const six = findSet(from, node, recordTypes.AAAA);
  if (six !== -1) draft.additionals += copyRecords(draft, from, six, 0, owner);
}

/** Adds the SOA of a negative answer, whose TTL says for how long that may be kept (RFC 2308 section 3). */
export function addNegative(draft: Draft, from: DataView, set: number, owner: number): void {
  const { view, at } = draft;
  if (copyRecords(draft, from, set, 0, owner) === 0) {
    draft.isTruncated = true;
    return;
  }
  draft.authorities += 1;
  // The last of the SOA's numbers is the TTL of negative answers.
  view.setInt32(at + 6, Math.min(view.getInt32(at + 6), view.getInt32(draft.at - 4)));
}

/** HINFO "RFC8482" and an empty string, valid for an hour. */
const anyData = new DataView(Uint8Array.of(7, ...new TextEncoder().encode('RFC8482'), 0).buffer);
const anyTtlSeconds = 3600;

/** Answers ANY with one small record that stands for all (RFC 8482 section 4.2). */
export function addAny(draft: Draft, owner: number): void {
  const { view, at } = draft;
  view.setUint16(at, 0xc000 | owner);
  view.setUint16(at + 2, recordTypes.HINFO);
  view.setUint16(at + 4, classInternet);
  view.setInt32(at + 6, anyTtlSeconds);
  view.setUint16(at + 10, anyData.byteLength);
  copy(anyData, 0, view, at + recordHeadBytes, anyData.byteLength);
  draft.at = at + recordHeadBytes + anyData.byteLength;
  draft.answers += 1;
}
