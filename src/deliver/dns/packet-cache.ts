import type { Answerer } from './answer.ts';
import { optBytes } from './edns.ts';
import { setHead, takeTurn } from './layout.ts';
import { maxUdpReplyBytes } from './responder.ts';
import type { Table } from './table.ts';
import { viewOf } from './views.ts';
import { headerBytes } from './wire.ts';

/** Questions that are kept at most; each has one place, which another one may take from it. */
const places = 1024;
const longestQuery = 128;
const longestReply = 512;
const idBytes = 2;

/** A query and the reply to it, for as long as the table is what it was. */
interface Entry {
  readonly query: DataView;
  readonly reply: DataView;
  queryBytes: number;
  replyBytes: number;
  generation: number;
  /** What the records that take turns lie in; `undefined` when there are none. */
  view: DataView | undefined;
  set: number;
  /** Number of the record that is first in the reply that is kept. */
  first: number;
  /** Where these records begin in the reply, how many there are, and how long each is. */
  at: number;
  count: number;
  stride: number;
  type: number;
  code: number;
  questionBytes: number;
  owner: number;
}

function createEntry(): Entry {
  return {
    query: new DataView(new ArrayBuffer(longestQuery)),
    reply: new DataView(new ArrayBuffer(longestReply)),
    queryBytes: 0,
    replyBytes: 0,
    generation: -1,
    view: undefined,
    set: 0,
    first: 0,
    at: 0,
    count: 0,
    stride: 0,
    type: 0,
    code: 0,
    questionBytes: 0,
    owner: 0,
  };
}

/**
 * FNV-1a with four bytes to a step, of at least four. Who makes questions collide makes them as slow as they are without a
 * cache.
 */
function hashOf(packet: DataView, from: number, end: number): number {
  let hash = 0x811c_9dc5;
  for (let at = from; at < end - 4; at += 4) {
    hash = Math.imul(hash ^ packet.getInt32(at, true), 0x0100_0193);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ packet.getInt32(end - 4, true), 0x0100_0193);
  return hash ^ (hash >>> 13);
}

function isSame({ query, queryBytes }: Entry, packet: DataView, start: number, length: number): boolean {
  if (queryBytes !== length) return false;
  const last = length - 4;
  for (let at = idBytes; at < last; at += 4) {
    if (query.getInt32(at, true) !== packet.getInt32(start + at, true)) return false;
  }
  return query.getInt32(last, true) === packet.getInt32(start + last, true);
}

/** Copies at least four bytes, or none. */
function copy(from: DataView, at: number, end: number, to: DataView, toAt: number): void {
  if (at === end) return;
  const ahead = toAt - at;
  for (let one = at; one < end - 4; one += 4) to.setInt32(one + ahead, from.getInt32(one, true), true);
  to.setInt32(end - 4 + ahead, from.getInt32(end - 4, true), true);
}

/** Writes the reply with the records whose turn it is first, but for the id. */
function give(entry: Entry, into: DataView): void {
  const { reply, replyBytes, view, at, count, stride, first } = entry;
  const ahead = view === undefined ? 0 : takeTurn(view, entry.set) - first;
  if (ahead === 0) {
    copy(reply, 0, replyBytes, into, 0);
    return;
  }
  const from = at + (ahead < 0 ? ahead + count : ahead) * stride;
  const end = at + count * stride;
  copy(reply, 0, at, into, 0);
  copy(reply, from, end, into, at);
  copy(reply, at, from, into, at + end - from);
  copy(reply, end, replyBytes, into, end);
}

/**
 * Puts a packet cache, as PowerDNS and dnsdist have one, in front of an answerer: a query over UDP that came before, byte
 * for byte but for its id, gets the reply that the answerer would make now, in a quarter of the time. Clients ask the same
 * again and again: what differs is the id, and with some the case of letters or a cookie, who go the longer way.
 *
 * A reply is kept the second time it is made, so that questions nobody repeats push nothing out, and until anything in
 * the table changes. Records take their turns as before: only replies with at most one set that does so are kept, with
 * all of its records, equally long, at the end.
 */
export function createPacketCache(answerer: Answerer, table: Pick<Table, 'generation'>): Answerer {
  const entries: (Entry | undefined)[] = Array.from({ length: places });
  const seen = new Int32Array(places);
  let lastBytes: Uint8Array = new Uint8Array(0);
  let packet = viewOf(lastBytes);

  /** Batches come in the same bytes again and again, single packets in bytes of their own. */
  function look(bytes: Uint8Array): void {
    lastBytes = bytes;
    packet = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  function learn(): void {
    cached.lastType = answerer.lastType;
    cached.lastCode = answerer.lastCode;
    cached.lastQuestionBytes = answerer.lastQuestionBytes;
    cached.lastOwner = answerer.lastOwner;
  }

  function keep(place: number, start: number, length: number, reply: DataView, size: number): void {
    const { sets, view, set, first, at } = answerer.lastTurn;
    const count = sets === 0 ? 0 : view.getUint16(set + setHead.count);
    const stride = sets === 0 ? 0 : view.getUint16(set + setHead.stride);
    // Behind the records there may be an OPT record and nothing else, which points at them.
    const behind = size - at - count * stride;
    if (sets > 1 || (sets === 1 && (stride === 0 || (behind !== 0 && behind !== optBytes)))) return;
    entries[place] ??= createEntry();
    const entry = entries[place];
    copy(packet, start, start + length, entry.query, 0);
    copy(reply, 0, size, entry.reply, 0);
    entry.queryBytes = length;
    entry.replyBytes = size;
    entry.generation = table.generation();
    entry.view = sets === 0 ? undefined : view;
    entry.set = set;
    entry.first = first;
    entry.at = at;
    entry.count = count;
    entry.stride = stride;
    entry.type = answerer.lastType;
    entry.code = answerer.lastCode;
    entry.questionBytes = answerer.lastQuestionBytes;
    entry.owner = answerer.lastOwner;
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
      const hash = hashOf(packet, start + idBytes, start + length);
      const place = hash & (places - 1);
      const entry = entries[place];
      if (entry?.generation !== table.generation() || !isSame(entry, packet, start, length)) {
        return make(place, hash, start, length, into);
      }
      const reply = viewOf(into);
      give(entry, reply);
      reply.setInt16(0, packet.getInt16(start));
      cached.lastType = entry.type;
      cached.lastCode = entry.code;
      cached.lastQuestionBytes = entry.questionBytes;
      cached.lastOwner = entry.owner;
      return entry.replyBytes;
    },
    refuse(bytes, start, length, code, into, truncated) {
      const size = answerer.refuse(bytes, start, length, code, into, truncated);
      learn();
      return size;
    },
  };
  return cached;
}
