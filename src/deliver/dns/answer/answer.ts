import { askLater, maxUdpReplyBytes } from '../responder.ts';
import { findSet, forwardsAddresses, forwardsOtherTypes, nodeHead } from './layout.ts';
import { type Name, putWildcard, readName, wildcardHash } from './names.ts';
import { createQuery, opcodeOf, type Query, readQuery } from './question.ts';
import {
  addAddresses,
  addAnswers,
  addAny,
  addNegative,
  aim,
  beginReply,
  createDraft,
  type Draft,
  endReply,
  type Turn,
} from './reply-draft.ts';
import type { Table } from './table.ts';
import { byteAt, classInternet, headerBytes, recordHeadBytes, recordTypes, responseCodes } from './wire.ts';

/** Makes replies out of queries. One at a time: what it says of the last one is gone with the next. */
export interface Answerer {
  /**
   * Writes the reply to `query[start, start + length)` at the start of `reply`, which has at least 512 bytes. Gives its
   * length, 0 for silence, or `askLater`. `limitBytes` is the transport's: `maxUdpReplyBytes`, or 65535 for TCP.
   */
  answer(query: Uint8Array, start: number, length: number, limitBytes: number, reply: Uint8Array): number;
  /**
   * A reply with this code and nothing but the question, and OPT if the query has it; 0 when there must be none.
   * `truncated` sets TC, which lets the asker come again over TCP.
   */
  refuse(
    query: Uint8Array,
    start: number,
    length: number,
    code: number,
    reply: Uint8Array,
    truncated?: boolean,
  ): number;
  /** About the last query: the type asked for, 0 when it could not be read. */
  lastType: number;
  /** The code of the reply, with those above 15 that EDNS has (BADVERS); NOERROR with silence and `askLater`. */
  lastCode: number;
  /** Length of the question, which begins after the header in query and reply; 0 when there is not exactly one. */
  lastQuestionBytes: number;
  /** Hash of the name in the table that it was about: itself, its wildcard or what is above it; 0 when there is none. */
  lastOwner: number;
  /** What takes turns in the last reply. */
  readonly lastTurn: Turn;
}

/** CNAME records in one answer. */
const longestChain = 8;
/** Places from here on cannot be pointed at (RFC 1035 section 4.1.4). */
const beyondPointers = 0x4000;

/** What the table has for a name. */
interface Place {
  /** Of the name, of the wildcard that stands for it, or of the closest name above it; -1: it is in no zone of ours. */
  slot: number;
  /** The name exists, by itself or by a wildcard. */
  isThere: boolean;
}

/** Looks for a name and, where there is none, for its closest encloser and the wildcard there (RFC 4592 section 3.3.1). */
function look(table: Table, name: Name, place: Place): void {
  const { lower, labelAt, hashes, bytes } = name;
  place.slot = table.find(hashes[0] as number, lower, 0, bytes);
  place.isThere = true;
  if (place.slot !== -1) return;
  for (let label = 1; label <= name.labels; label += 1) {
    const encloser = table.find(hashes[label] as number, lower, byteAt(labelAt, label), bytes);
    if (encloser === -1) continue;
    const wildcard = table.find(wildcardHash(name, label), lower, putWildcard(name, label), bytes);
    place.isThere = wildcard !== -1;
    place.slot = place.isThere ? wildcard : encloser;
    return;
  }
}

/** The code for a query that no table is needed for, NOERROR for all others. */
function faultOf(query: Query): number {
  const { isWellFormed, edns, class: asked, type } = query;
  if (opcodeOf(query) !== 0) return responseCodes.NOTIMP;
  if (!isWellFormed) return responseCodes.FORMERR;
  if (edns.version > 0) return responseCodes.BADVERS;
  const isTransfer = type === recordTypes.AXFR || type === recordTypes.IXFR;
  return asked !== classInternet || isTransfer ? responseCodes.REFUSED : responseCodes.NOERROR;
}

/** Adds the addresses of the names that the records `[from, draft.at)` point at, which begin `skip` bytes into their data. */
function addTargets(draft: Draft, table: Table, name: Name, from: number, skip: number): void {
  const end = draft.at;
  table.beginMarks();
  let at = from;
  while (at < end) {
    const target = at + recordHeadBytes + skip;
    at += recordHeadBytes + draft.view.getUint16(at + 10);
    if (target >= beyondPointers) return;
    readName(draft.bytes, target, at, name);
    const slot = table.find(name.hashes[0] as number, name.lower, 0, name.bytes);
    if (slot !== -1 && table.mark(slot)) addAddresses(draft, table.viewOf(slot), table.nodeOf(slot), target);
  }
}

/** Adds the SOA of the zone that the node belongs to. `owner` is where the reply has the name that was asked for. */
function deny(draft: Draft, table: Table, name: Name, node: number, view: DataView, owner: number): void {
  const label = name.labels - view.getUint8(node + nodeHead.apexLabels);
  const at = byteAt(name.labelAt, label);
  const slot = table.find(name.hashes[label] as number, name.lower, at, name.bytes);
  if (slot === -1) return;
  const set = findSet(table.viewOf(slot), table.nodeOf(slot), recordTypes.SOA);
  if (set !== -1) addNegative(draft, table.viewOf(slot), set, owner + at);
}

/** Adds the set that was asked for and, where its records name hosts, their addresses (RFC 2782, RFC 1035 section 3.3.11). */
function give(draft: Draft, table: Table, query: Query, view: DataView, set: number, owner: number): void {
  const from = draft.at;
  addAnswers(draft, view, set, owner);
  if (draft.isTruncated) return;
  if (query.type === recordTypes.SRV) addTargets(draft, table, query.name, from, 6);
  else if (query.type === recordTypes.NS) addTargets(draft, table, query.name, from, 0);
}

/**
 * Answers questions from the table: authoritative answers as RFC 1034 section 4.3.2 has them, with empty non-terminals
 * (RFC 8020), wildcards (RFC 4592), negative answers (RFC 2308), small answers to ANY (RFC 8482) and EDNS (RFC 6891).
 * What is not ours is left to forwarding or refused. It neither throws nor reads beside the query, whatever that is, and
 * allocates nothing.
 */
export function createAnswerer(table: Table, rules: { readonly forwards: boolean }): Answerer {
  const { forwards } = rules;
  const query = createQuery();
  const draft = createDraft();
  const place: Place = { slot: -1, isThere: false };
  const { name } = query;

  /** What a name without the type gives, after some CNAME records or none. */
  function lack(view: DataView, node: number, owner: number, links: number): number {
    if (query.type === recordTypes.ANY && view.getUint8(node + nodeHead.sets) > 0) {
      addAny(draft, owner);
      return responseCodes.NOERROR;
    }
    const isAddress = query.type === recordTypes.A || query.type === recordTypes.AAAA;
    const rule = isAddress ? forwardsAddresses : forwardsOtherTypes;
    if (forwards && (view.getUint8(node + nodeHead.rules) & rule) !== 0) {
      return links === 0 ? askLater : responseCodes.NOERROR;
    }
    deny(draft, table, name, node, view, owner);
    return responseCodes.NOERROR;
  }

  /** Follows CNAME records to an end. The code is the last name's (RFC 6604 section 3). */
  function resolve(): number {
    let owner = headerBytes;
    for (let links = 0; ; links += 1) {
      look(table, name, place);
      const { slot } = place;
      if (slot === -1) break;
      draft.isAuthoritative = true;
      const view = table.viewOf(slot);
      const node = table.nodeOf(slot);
      if (links === 0) answerer.lastOwner = view.getInt32(node);
      if (!place.isThere) {
        deny(draft, table, name, node, view, owner);
        return responseCodes.NXDOMAIN;
      }
      const set = findSet(view, node, query.type);
      if (set !== -1) {
        give(draft, table, query, view, set, owner);
        return responseCodes.NOERROR;
      }
      const alias = findSet(view, node, recordTypes.CNAME);
      if (alias === -1) return lack(view, node, owner, links);
      // A name that leads to itself ends where it comes round.
      if (links === 0) table.beginMarks();
      if (links === longestChain || !table.mark(slot)) break;
      const target = draft.at + recordHeadBytes;
      addAnswers(draft, view, alias, owner);
      if (draft.isTruncated || query.type === recordTypes.ANY) break;
      readName(draft.bytes, target, draft.at, name);
      owner = target;
    }
    if (draft.isAuthoritative) return responseCodes.NOERROR;
    return forwards ? askLater : responseCodes.REFUSED;
  }

  function begin(bytes: Uint8Array, start: number, length: number, limitBytes: number, into: Uint8Array): boolean {
    aim(draft, into);
    const isAnswered = readQuery(bytes, start, length, query, draft.view);
    answerer.lastType = isAnswered ? query.type : 0;
    answerer.lastCode = responseCodes.NOERROR;
    answerer.lastQuestionBytes = isAnswered ? query.questionBytes : 0;
    answerer.lastOwner = 0;
    if (isAnswered) beginReply(draft, query, bytes, start, limitBytes);
    return isAnswered;
  }

  const answerer: Answerer = {
    lastType: 0,
    lastCode: 0,
    lastQuestionBytes: 0,
    lastOwner: 0,
    lastTurn: draft.turn,
    answer(bytes, start, length, limitBytes, into) {
      if (!begin(bytes, start, length, limitBytes, into)) return 0;
      const fault = faultOf(query);
      const code = fault === responseCodes.NOERROR ? resolve() : fault;
      if (code === askLater) return askLater;
      answerer.lastCode = code;
      return endReply(draft, query, code, forwards);
    },
    refuse(bytes, start, length, code, into, truncated = false) {
      if (!begin(bytes, start, length, maxUdpReplyBytes, into)) return 0;
      draft.isTruncated = truncated;
      answerer.lastCode = code;
      return endReply(draft, query, code, forwards);
    },
  };
  return answerer;
}
