import ipaddr from 'ipaddr.js';
import { chapterHead, forwardsAddresses, forwardsOtherTypes, keyMark, nodeHead, orders, setHead } from './layout.ts';
import { createName, hashBackwards, readName } from './names.ts';
import type { Chapter, NamedSets, RecordData, RecordSet } from './records.ts';
import {
  classInternet,
  headerBytes,
  recordHeadBytes,
  recordTypes,
  writeInt32,
  writeName,
  writeUint16,
} from './wire.ts';

/** Far beyond what fits into one reply (65,535 bytes); turns and counts have two bytes, credits four. */
const mostRecords = 32_767;
const longestData = 65_535;
const longestKey = 65_000;

const encoder = new TextEncoder();

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function uint16s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  values.forEach((value, index) => {
    writeUint16(bytes, 2 * index, value);
  });
  return bytes;
}

function int32s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  values.forEach((value, index) => {
    writeInt32(bytes, 4 * index, value);
  });
  return bytes;
}

function addressBytes(type: 'A' | 'AAAA', text: string): Uint8Array {
  const isRight = type === 'A' ? ipaddr.IPv4.isValidFourPartDecimal(text) : ipaddr.IPv6.isValid(text);
  if (!isRight) throw new Error(`cannot make an ${type} record of the address "${text}"`);
  return Uint8Array.from(ipaddr.parse(text).toByteArray());
}

/** Strings of up to 255 bytes, one after the other (RFC 1035 section 3.3.14); who reads them puts them together again. */
function textBytes(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < Math.max(1, bytes.length); at += 255) {
    const part = bytes.subarray(at, at + 255);
    parts.push(Uint8Array.of(part.length), part);
  }
  return joined(parts);
}

/** The data of a record as RFC 1035 section 3.3, RFC 3596 (AAAA) and RFC 2782 (SRV) have it, names uncompressed. */
function dataBytes(data: RecordData): Uint8Array {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return addressBytes(data.type, data.address);
    case 'CNAME':
    case 'NS':
      return writeName(data.target);
    case 'SRV':
      return joined([uint16s(data.priority, data.weight, data.port), writeName(data.target)]);
    case 'TXT':
      return textBytes(data.text);
    case 'SOA': {
      const { serial, refreshSeconds, retrySeconds, expireSeconds, negativeTtlSeconds } = data;
      const numbers = int32s(serial, refreshSeconds, retrySeconds, expireSeconds, negativeTtlSeconds);
      return joined([writeName(data.primary), writeName(data.mailbox), numbers]);
    }
  }
}

function recordBytes(data: RecordData, ttlSeconds: number): Uint8Array {
  const body = dataBytes(data);
  if (body.length > longestData) throw new Error(`cannot spell a ${data.type} record of ${body.length} bytes`);
  const head = new Uint8Array(recordHeadBytes);
  writeUint16(head, 0, 0xc000 | headerBytes);
  writeUint16(head, 2, recordTypes[data.type]);
  writeUint16(head, 4, classInternet);
  writeInt32(head, 6, ttlSeconds);
  writeUint16(head, 10, body.length);
  return joined([head, body]);
}

function setBytes(name: string, set: RecordSet): Uint8Array {
  const { type, order, records } = set;
  const count = records.length;
  const wrong = records.find(({ data }) => data.type !== type);
  if (wrong !== undefined) throw new Error(`"${name}" has a ${wrong.data.type} record in its set of type ${type}`);
  if (count === 0 || count > mostRecords) {
    throw new Error(`"${name}" has a set of type ${type} with ${count} records, expected 1 to ${mostRecords}`);
  }
  const parts = records.map(({ data }) => recordBytes(data, set.ttlSeconds));
  const stride = parts.every((part) => part.length === parts[0]?.length) ? (parts[0]?.length ?? 0) : 0;
  const weights = order === 'weighted' ? uint16s(...records.map(({ weight = 0 }) => weight)) : new Uint8Array(0);
  const head = new Uint8Array(setHead.bytes);
  const bytes = joined([head, weights, new Uint8Array(2 * weights.length), ...parts]);
  writeUint16(bytes, 0, recordTypes[type]);
  bytes[setHead.order] = orders[order];
  writeInt32(bytes, setHead.length, bytes.length);
  writeUint16(bytes, setHead.answers, Math.max(1, Math.min(set.answers, count)));
  writeUint16(bytes, setHead.count, count);
  // A record too long for two bytes has its length looked up like records of different lengths.
  writeUint16(bytes, setHead.stride, stride > longestData ? 0 : stride);
  return bytes;
}

function nodeBytes(name: Uint8Array, hash: number, sets: readonly Uint8Array[]): Uint8Array {
  const bytes = joined([new Uint8Array(nodeHead.bytes), name, ...sets]);
  writeInt32(bytes, 0, hash);
  writeInt32(bytes, nodeHead.length, bytes.length);
  bytes[nodeHead.sets] = sets.length;
  writeUint16(bytes, nodeHead.nameBytes, name.length);
  return bytes;
}

const scratch = createName();

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

function namedBytes({ name, sets, apex, otherTypes }: NamedSets): Uint8Array {
  if (new Set(sets.map(({ type }) => type)).size < sets.length) throw new Error(`"${name}" has two sets of one type`);
  const spelled = writeName(name);
  readName(spelled, 0, spelled.length, scratch);
  const hash = scratch.hashes[0] as number;
  const lower = scratch.lower.slice(0, scratch.bytes);
  const bytes = nodeBytes(
    lower,
    hash,
    sets.map((set) => setBytes(name, set)),
  );
  bytes[nodeHead.rules] = rulesOf[otherTypes];
  bytes[nodeHead.apexLabels] = labelsOfApex(name, apex);
  return bytes;
}

/**
 * Spells a chapter in bytes, ready to be copied into replies, as layout.ts describes them. They can be moved and sent to
 * another thread. A chapter without names removes what had its key.
 * @throws Error for what can only be a bug of whoever made the chapter: a name that cannot be spelled or stands in it
 *   twice, an address of the wrong kind, two sets of one type at a name or one without records, an apex beside the name.
 */
export function compileChapter(chapter: Chapter): Uint8Array {
  const { key, names } = chapter;
  const seen = new Set<string>();
  for (const { name } of names) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) throw new Error(`the chapter "${key}" has the name "${name}" twice`);
    seen.add(lower);
  }
  const marked = joined([Uint8Array.of(keyMark), encoder.encode(key)]);
  if (marked.length > longestKey) throw new Error(`the key of a chapter has ${marked.length} bytes`);
  const keyNode = nodeBytes(marked, hashBackwards(marked, 0, marked.length), []);
  const bytes = joined([new Uint8Array(chapterHead.bytes), keyNode, ...names.map(namedBytes)]);
  writeInt32(bytes, 0, bytes.length);
  writeInt32(bytes, chapterHead.names, names.length);
  return bytes;
}

/** One message of many compiled chapters, which are installed in this order. */
export function joinChapters(parts: readonly Uint8Array[]): Uint8Array {
  return joined(parts);
}
