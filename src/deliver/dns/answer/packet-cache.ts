import { maxUdpReplyBytes } from '../responder.ts';
import type { Answerer } from './answer.ts';
import { optBytes } from './edns.ts';
import { setHead, takeTurn } from './layout.ts';
import type { Table } from './table.ts';
import { viewOf } from './views.ts';
import { headerBytes } from './wire.ts';

/**
 * Each question has one place, which another one may take from it: with many more places than questions that is rare, and
 * places that were never used take no memory.
 */
const places = 4096;
const longestQuery = 128;
const longestReply = 512;
const idBytes = 2;

/**
 * All entries lie in one piece of memory, so that a look at one touches few lines of the processor's cache. In each stand,
 * as words of four bytes: the table's generation that it is for; the lengths of query and reply; where the records are
 * that take turns (in the table: set and the first of them in this reply; in the reply: place, count, length of each, all
 * zero when there are none); what the answerer said of the query. Then query and reply.
 */
const word = {
  ...{ generation: 0, queryBytes: 1, replyBytes: 2, set: 3, first: 4, at: 5, count: 6, stride: 7 },
  ...{ type: 8, code: 9, questionBytes: 10, owner: 11 },
} as const;
const queryAt = 64;
const replyAt = queryAt + longestQuery;
const entryBytes = replyAt + longestReply;

const [odd, even] = [0x0100_0193, 0x85eb_ca6b];

/**
 * Of at least eight bytes; in two lanes, which a processor goes over side by side. Who makes questions collide makes them as
 * slow as they are without a cache.
 */
function hashOf(packet: DataView, from: number, end: number): number {
  let one = packet.getInt32(end - 4, true);
  let other = packet.getInt32(end - 8, true);
  for (let at = from; at < end - 8; at += 8) {
    one = Math.imul(one ^ packet.getInt32(at, true), odd);
    other = Math.imul(other ^ packet.getInt32(at + 4, true), even);
    one ^= one >>> 15;
    other ^= other >>> 13;
  }
  const hash = Math.imul(one ^ (other << 7), even);
  return hash ^ (hash >>> 16);
}

/** True when two packets of this length differ in nothing but their ids. */
function isSame(one: DataView, at: number, other: DataView, otherAt: number, length: number): boolean {
  const last = length - 4;
  for (let from = idBytes; from < last; from += 4) {
    if (one.getInt32(at + from, true) !== other.getInt32(otherAt + from, true)) return false;
  }
  return one.getInt32(at + last, true) === other.getInt32(otherAt + last, true);
}

/** Copies at least four bytes, or none. */
function copy(from: DataView, at: number, end: number, to: DataView, toAt: number): void {
  if (at === end) return;
  const ahead = toAt - at;
  for (let one = at; one < end - 4; one += 4) to.setInt32(one + ahead, from.getInt32(one, true), true);
  to.setInt32(end - 4 + ahead, from.getInt32(end - 4, true), true);
}

/** True when nothing stands behind `end` but an OPT record: what else there may be points at the records before it. */
function isLast(reply: DataView, end: number, size: number): boolean {
  const [authorities, additionals] = [reply.getUint16(8), reply.getUint16(10)];
  return authorities === 0 && (additionals === 0 ? size === end : additionals === 1 && size === end + optBytes);
}

/**
 * Puts a packet cache, as PowerDNS and dnsdist have one, in front of an answerer: a query over UDP that came before, byte
 * for byte but for its id, gets the reply that the answerer would make now, in a third of the time. Clients ask the same
 * again and again: what differs is the id, and with some the case of letters or a cookie, who go the longer way.
 *
 * A reply is kept the second time it is made, so that questions nobody repeats push nothing out, and until anything in
 * the table changes. Records take their turns as before: only replies with at most one set that does so are kept, with
 * all of its records, equally long, at the end.
 */
export function createPacketCache(answerer: Answerer, table: Pick<Table, 'generation'>): Answerer {
  const memory = new DataView(new ArrayBuffer(places * entryBytes));
  const words = new Int32Array(memory.buffer);
  /** By place: what the records that take turns lie in. */
  const views: DataView[] = Array.from({ length: places }, () => memory);
  const seen = new Int32Array(places);
  let lastBytes: Uint8Array = new Uint8Array(0);
  let packet = viewOf(lastBytes);
  let generation = table.generation();

  /** Batches come in the same bytes again and again, single packets in bytes of their own. */
  function look(bytes: Uint8Array): void {
    lastBytes = bytes;
    packet = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** What entries of the past point at must not be kept by them: a list that changes often would fill the memory. */
  function renew(): void {
    generation = table.generation();
    views.fill(memory);
  }

  function learn(): void {
    cached.lastType = answerer.lastType;
    cached.lastCode = answerer.lastCode;
    cached.lastQuestionBytes = answerer.lastQuestionBytes;
    cached.lastOwner = answerer.lastOwner;
  }

  function keep(place: number, start: number, length: number, reply: DataView, size: number): void {
    const { sets, view, set, first, at, given } = answerer.lastTurn;
    const count = sets === 0 ? 0 : view.getUint16(set + setHead.count);
    const stride = sets === 0 ? 0 : view.getUint16(set + setHead.stride);
    if (sets > 1 || (sets === 1 && (given !== count || stride === 0 || !isLast(reply, at + count * stride, size))))
      return;
    const entry = place * entryBytes;
    const { lastType, lastCode, lastQuestionBytes, lastOwner } = answerer;
    copy(packet, start, start + length, memory, entry + queryAt);
    copy(reply, 0, size, memory, entry + replyAt);
    views[place] = view;
    words.set(
      [
        ...[generation, length, size, set, first, at, count, stride],
        ...[lastType, lastCode, lastQuestionBytes, lastOwner],
      ],
      entry / 4,
    );
  }

  /** Writes the reply with the records whose turn it is first, but for the id. */
  function give(place: number, size: number, into: DataView): void {
    const fields = (place * entryBytes) / 4;
    const reply = place * entryBytes + replyAt;
    const count = words[fields + word.count] as number;
    const turn = count === 0 ? 0 : takeTurn(views[place] as DataView, words[fields + word.set] as number);
    const ahead = count === 0 ? 0 : turn - (words[fields + word.first] as number);
    if (ahead === 0) {
      copy(memory, reply, reply + size, into, 0);
      return;
    }
    const stride = words[fields + word.stride] as number;
    const at = words[fields + word.at] as number;
    const from = at + (ahead < 0 ? ahead + count : ahead) * stride;
    const end = at + count * stride;
    copy(memory, reply, reply + at, into, 0);
    copy(memory, reply + from, reply + end, into, at);
    copy(memory, reply + at, reply + from, into, at + end - from);
    copy(memory, reply + end, reply + size, into, end);
  }

  function make(place: number, hash: number, start: number, length: number, into: Uint8Array): number {
    const size = answerer.answer(lastBytes, start, length, maxUdpReplyBytes, into);
    learn();
    if (size > 0 && size <= longestReply && seen[place] === hash) keep(place, start, length, viewOf(into), size);
    seen[place] = hash;
    return size;
  }

  const cached: Answerer = {
    lastType: 0,
    lastCode: 0,
    lastQuestionBytes: 0,
    lastOwner: 0,
    lastTurn: answerer.lastTurn,
    answer(bytes, start, length, limitBytes, into) {
      if (limitBytes !== maxUdpReplyBytes || length > longestQuery || length < headerBytes) {
        const size = answerer.answer(bytes, start, length, limitBytes, into);
        learn();
        return size;
      }
      if (bytes !== lastBytes) look(bytes);
      if (generation !== table.generation()) renew();
      const hash = hashOf(packet, start + idBytes, start + length);
      const place = hash & (places - 1);
      const entry = place * entryBytes;
      const fields = entry / 4;
      const isFresh = words[fields] === generation && words[fields + word.queryBytes] === length;
      if (!isFresh || !isSame(memory, entry + queryAt, packet, start, length)) {
        return make(place, hash, start, length, into);
      }
      const reply = viewOf(into);
      const size = words[fields + word.replyBytes] as number;
      give(place, size, reply);
      reply.setInt16(0, packet.getInt16(start));
      cached.lastType = words[fields + word.type] as number;
      cached.lastCode = words[fields + word.code] as number;
      cached.lastQuestionBytes = words[fields + word.questionBytes] as number;
      cached.lastOwner = words[fields + word.owner] as number;
      return size;
    },
    refuse(bytes, start, length, code, into, truncated) {
      const size = answerer.refuse(bytes, start, length, code, into, truncated);
      learn();
      return size;
    },
  };
  return cached;
}
