import {
  chapterHead,
  forwardsAddresses,
  forwardsOtherTypes,
  keyMark,
  nodeHead,
  orders,
  setHead,
} from '../answer/layout.ts';
import { createName, mixHash, readName } from '../answer/names.ts';
import { classInternet, headerBytes, recordTypes, writeName } from '../answer/wire.ts';
import { createPen } from './pen.ts';
import { putData } from './record-data.ts';
import type { Chapter, NamedSets, RecordData, RecordSet } from './records.ts';

/** Far beyond what fits into one reply (65,535 bytes); turns and counts have two bytes, credits four. */
const mostRecords = 32_767;
const longestData = 65_535;
const longestKey = 65_000;

const encoder = new TextEncoder();
const spelled = createName();
/** One for all chapters: each is taken out whole, and a fault leaves nothing behind. */
const pen = createPen();

/** Writes a record and gives its length. */
function putRecord(data: RecordData, ttlSeconds: number): number {
  const from = pen.place();
  pen.uint16(0xc000 | headerBytes);
  pen.uint16(recordTypes[data.type]);
  pen.uint16(classInternet);
  pen.int32(ttlSeconds);
  const lengthAt = pen.place();
  pen.uint16(0);
  putData(pen, data);
  const length = pen.place() - lengthAt - 2;
  if (length > longestData)
    throw new Error(`Cannot spell a ${data.type} record: ${length} bytes, up to ${longestData}`);
  pen.amendUint16(lengthAt, length);
  return pen.place() - from;
}

function checkSet(name: string, { type, records }: RecordSet): void {
  const wrong = records.find(({ data }) => data.type !== type);
  if (wrong !== undefined) throw new Error(`"${name}" has a ${wrong.data.type} record in its set of type ${type}`);
  // A zone has one SOA (RFC 1035 section 5.2), a name one other name (RFC 2181 section 10.1).
  const most = type === 'SOA' || type === 'CNAME' ? 1 : mostRecords;
  if (records.length === 0 || records.length > most) {
    throw new Error(`"${name}" has a set of type ${type} with ${records.length} records, expected 1 to ${most}`);
  }
}

function putSet(name: string, set: RecordSet): void {
  checkSet(name, set);
  const { type, order, records } = set;
  const from = pen.place();
  pen.uint16(recordTypes[type]);
  pen.uint8(orders[order]);
  pen.zeros(setHead.answers - setHead.order - 1);
  pen.uint16(Math.max(1, Math.min(set.answers, records.length)));
  pen.uint16(records.length);
  pen.zeros(setHead.bytes - setHead.turn);
  if (order === 'weighted') {
    for (const { weight = 0 } of records) pen.uint16(weight);
    pen.zeros(4 * records.length);
  }
  let stride = -1;
  for (const { data } of records) {
    const length = putRecord(data, set.ttlSeconds);
    stride = stride === -1 || stride === length ? length : 0;
  }
  // A record whose length needs more than two bytes is searched for like those of different lengths.
  pen.amendUint16(from + setHead.stride, stride > longestData ? 0 : stride);
  pen.amendInt32(from + setHead.length, pen.place() - from);
}

interface NodeRules {
  readonly hash: number;
  readonly rules: number;
  readonly apexLabels: number;
}

/** Writes a node whose sets are written by `putSets`, `count` of them. */
function putNode(name: Uint8Array, { hash, rules, apexLabels }: NodeRules, count: number, putSets: () => void): void {
  const from = pen.place();
  pen.int32(hash);
  pen.int32(0);
  pen.uint8(rules);
  pen.uint8(apexLabels);
  pen.uint8(count);
  pen.uint8(0);
  pen.uint16(name.length);
  pen.uint16(0);
  pen.copy(name);
  pen.zeros(-name.length & 3);
  putSets();
  pen.amendInt32(from + nodeHead.length, pen.place() - from);
}

function labelsOfApex(name: string, apex: string): number {
  const lower = name.toLowerCase();
  const above = apex.toLowerCase();
  const isWithin = lower === above || above === '' || lower.endsWith(`.${above}`);
  if (!isWithin) throw new Error(`"${name}" has its authority at "${apex}", expected itself or a name above it`);
  return above === '' ? 0 : above.split('.').length;
}

const rulesOf: Readonly<Record<NamedSets['otherTypes'], number>> = {
  nodata: 0,
  forward: forwardsOtherTypes,
  foreign: forwardsOtherTypes | forwardsAddresses,
};

function putNamed({ name, sets, apex, otherTypes }: NamedSets): void {
  const types = new Set(sets.map(({ type }) => type));
  if (types.size < sets.length) throw new Error(`"${name}" has two sets of one type`);
  if (types.has('CNAME') && types.size > 1) throw new Error(`"${name}" has a CNAME beside other records (RFC 1034)`);
  const bytes = writeName(name);
  readName(bytes, 0, bytes.length, spelled);
  const lower = new Uint8Array(spelled.lower.buffer, 0, spelled.bytes);
  const rules = { hash: spelled.hashes[0] as number, rules: rulesOf[otherTypes], apexLabels: labelsOfApex(name, apex) };
  putNode(lower, rules, sets.length, () => {
    for (const set of sets) putSet(name, set);
  });
}

function checkNames({ key, names }: Chapter): void {
  const seen = new Set<string>();
  for (const { name } of names) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) throw new Error(`The chapter "${key}" has the name "${name}" twice`);
    seen.add(lower);
  }
}

function putKey(key: string): void {
  const bytes = Uint8Array.of(keyMark, ...encoder.encode(key));
  if (bytes.length > longestKey) throw new Error(`The key of a chapter has ${bytes.length} bytes, up to ${longestKey}`);
  const hash = bytes.reduce(mixHash, 0);
  putNode(bytes, { hash, rules: 0, apexLabels: 0 }, 0, () => {});
}

/**
 * Spells a chapter in bytes, ready to be copied into replies, as layout.ts describes them. They can be moved and sent to
 * another thread. A chapter without names removes what had its key.
 * @throws Error for what can only be a bug of whoever made the chapter: a name that cannot be spelled or stands in it
 *   twice, an address of the wrong kind, two sets of one type at a name or one without records, a CNAME beside other
 *   sets, an apex beside the name.
 */
export function compileChapter(chapter: Chapter): Uint8Array {
  checkNames(chapter);
  const from = pen.place();
  try {
    pen.zeros(chapterHead.bytes);
    putKey(chapter.key);
    for (const named of chapter.names) putNamed(named);
    pen.amendInt32(from, pen.place() - from);
    pen.amendInt32(from + chapterHead.names, chapter.names.length);
  } catch (error) {
    pen.take(from);
    throw error;
  }
  return pen.take(from);
}

/** One message of many compiled chapters, which are installed in this order. */
export function joinChapters(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
