import { classInternet, headerBytes, readUint16, recordTypes, responseCodes } from '../answer/wire.ts';
import { flags, isSameLetter, type Question } from './match.ts';

/** A server's reply that was read to its end, as it is kept and given to clients. */
export interface Reply {
  /** Header, question and records without OPT; behind them, in two bytes for each record, where its TTL stands. */
  readonly bytes: Buffer;
  /** Bytes of the message itself. */
  readonly length: number;
  /** Where the question ends. */
  readonly questionEnd: number;
  readonly answers: number;
  readonly authorities: number;
  readonly records: number;
  /** The response code with the upper bits that EDNS adds (RFC 6891 section 6.1.3). */
  readonly code: number;
  /** NXDOMAIN, or a name without data of the type (RFC 2308 sections 2.1 and 2.2). */
  readonly isNegative: boolean;
  /** For how long it may be kept: the least TTL, with negative replies that of their SOA too; 0: not at all. */
  readonly ttlSeconds: number;
}

const longestName = 255;
const longestTtl = 0x7fff_ffff;
/** RFC 6672; hsdo has nothing else to do with it. */
const typeDname = 39;
/** Steps of names for each byte of a packet: more than any sane one takes, and a bound for those made to be slow. */
const stepsPerByte = 4;

/** The place where a reader stands, and what it saw. One is used for all replies. */
const reading = {
  bytes: Buffer.alloc(0) as Uint8Array,
  end: 0,
  steps: 0,
  questionType: 0,
  /** Bytes of the question's name. */
  nameBytes: 0,
  /** Where records begin to be left out: at the OPT record. */
  keptEnd: 0,
  hasOpt: false,
  upperCode: 0,
  leastTtl: 0,
  hasType: false,
  /** TTL of a negative reply; -1 without a SOA. */
  negativeTtl: -1,
};
/** Records to keep in each section. */
const kept = new Uint16Array(3);
/** No record takes less than eleven bytes. */
const ttlPlaces = new Uint16Array(Math.ceil(65_536 / 11));

/**
 * Reads a reply whose id and question were compared before. Every record is walked, every name in known data too, in time
 * linear to the packet's length. `undefined` for one that is cut short or wrong anywhere. The question is put back as the
 * client spelled it, in `bytes` too, and owners that repeat its name letter by letter with it. Bytes behind the last record are left out, and so are additional records behind OPT: nothing before
 * them can point at them.
 */
export function readReply(bytes: Uint8Array, question: Question): Reply | undefined {
  const questionEnd = question.end;
  for (let at = headerBytes; at < questionEnd; at += 1) bytes[at] = question.query[at] as number;
  begin(bytes, questionEnd);
  let at = questionEnd;
  for (let section = 0; section < 3; section += 1) {
    for (let left = readUint16(bytes, 6 + 2 * section); left > 0; left -= 1) {
      at = readRecord(at, section);
      if (at < 0) return undefined;
    }
  }
  if (!reading.hasOpt) reading.keptEnd = at;
  return collect(questionEnd);
}

function begin(bytes: Uint8Array, questionEnd: number): void {
  reading.bytes = bytes;
  reading.end = bytes.length;
  reading.steps = bytes.length * stepsPerByte;
  reading.questionType = readUint16(bytes, questionEnd - 4);
  reading.nameBytes = questionEnd - 4 - headerBytes;
  reading.hasOpt = false;
  reading.upperCode = 0;
  reading.leastTtl = longestTtl;
  reading.hasType = false;
  reading.negativeTtl = -1;
  kept.fill(0);
}

/** Gives where the record ends, -1 for one that is not right. */
function readRecord(start: number, section: number): number {
  const { bytes } = reading;
  const at = nameEnd(start);
  if (at < 0 || at + 10 > reading.end) return -1;
  if ((bytes[start] as number) < 64) respellOwner(start, at - start);
  const type = readUint16(bytes, at);
  const dataAt = at + 10;
  const end = dataAt + readUint16(bytes, at + 8);
  if (end > reading.end) return -1;
  if (type === recordTypes.OPT) {
    // One at most, of the root's name, among the additional records (RFC 6891 section 6.1.1).
    if (section !== 2 || reading.hasOpt || at !== start + 1) return -1;
    reading.hasOpt = true;
    reading.upperCode = bytes[at + 4] as number;
    reading.keptEnd = start;
    return end;
  }
  if (readUint16(bytes, at + 2) === classInternet && !isDataRight(type, dataAt, end)) return -1;
  if (!reading.hasOpt) keep(type, at + 4, section, end);
  return end;
}

/** An owner that is the question's name, spelled out, gets the question's letters. */
function respellOwner(start: number, length: number): void {
  const { bytes } = reading;
  if (length !== reading.nameBytes) return;
  for (let at = 0; at < length; at += 1) {
    if (!isSameLetter(bytes[start + at] as number, bytes[headerBytes + at] as number)) return;
  }
  bytes.copyWithin(start, headerBytes, headerBytes + length);
}

function keep(type: number, ttlAt: number, section: number, end: number): void {
  ttlPlaces[(kept[0] as number) + (kept[1] as number) + (kept[2] as number)] = ttlAt;
  kept[section] = (kept[section] as number) + 1;
  const ttl = ttlFrom(reading.bytes, ttlAt);
  const isAsked = type === reading.questionType || reading.questionType === recordTypes.ANY;
  if (section === 0 && isAsked) reading.hasType = true;
  if (section === 1 && type === recordTypes.SOA && end - ttlAt >= 26) {
    reading.negativeTtl = Math.min(ttl, ttlFrom(reading.bytes, end - 4));
  } else if (ttl < reading.leastTtl) reading.leastTtl = ttl;
}

/** A TTL with its highest bit set means 0 (RFC 2181 section 8). */
function ttlFrom(bytes: Uint8Array, at: number): number {
  const high = bytes[at] as number;
  return high > 127 ? 0 : (high << 24) | ((bytes[at + 1] as number) << 16) | readUint16(bytes, at + 2);
}

function isDataRight(type: number, at: number, end: number): boolean {
  switch (type) {
    case recordTypes.A:
      return end - at === 4;
    case recordTypes.AAAA:
      return end - at === 16;
    case recordTypes.NS:
    case recordTypes.CNAME:
    case recordTypes.PTR:
    case typeDname:
      return nameEnd(at) === end;
    case recordTypes.MX:
      return nameEnd(at + 2) === end;
    case recordTypes.SRV:
      return nameEnd(at + 6) === end;
    case recordTypes.SOA: {
      const primaryEnd = nameEnd(at);
      const mailboxEnd = primaryEnd < 0 ? -1 : nameEnd(primaryEnd);
      return mailboxEnd >= 0 && mailboxEnd + 20 === end;
    }
    default:
      return true;
  }
}

/** Where the name ends that begins at `start`; -1 for a wrong one. Pointers lead to the front only, so never in circles. */
function nameEnd(start: number): number {
  const { bytes, end } = reading;
  let at = start;
  let floor = start;
  let result = -1;
  let length = 1;
  for (;;) {
    reading.steps -= 1;
    const size = at < end ? (bytes[at] as number) : -1;
    if (size < 0 || reading.steps < 0) return -1;
    if (size === 0) return result < 0 ? at + 1 : result;
    if (size < 64) {
      length += size + 1;
      if (length > longestName) return -1;
      at += size + 1;
      continue;
    }
    if (size < 0xc0 || at + 2 > end) return -1;
    if (result < 0) result = at + 2;
    at = ((size & 0x3f) << 8) | (bytes[at + 1] as number);
    if (at >= floor || at < headerBytes) return -1;
    floor = at;
  }
}

function collect(questionEnd: number): Reply {
  const [answers = 0, authorities = 0, others = 0] = kept;
  const records = answers + authorities + others;
  const length = reading.keptEnd;
  const bytes = Buffer.allocUnsafeSlow(length + 2 * records);
  bytes.set(length === reading.end ? reading.bytes : reading.bytes.subarray(0, length));
  for (let record = 0; record < records; record += 1) {
    bytes.writeUInt16BE(ttlPlaces[record] as number, length + 2 * record);
  }
  bytes.writeUInt16BE(others, 10);
  const code = (reading.upperCode << 4) | ((bytes[3] as number) & flags.code);
  const isNegative = code === responseCodes.NXDOMAIN || (code === responseCodes.NOERROR && !reading.hasType);
  const ttlSeconds = ttlOf(code, isNegative);
  return { bytes, length, questionEnd, answers, authorities, records, code, isNegative, ttlSeconds };
}

function ttlOf(code: number, isNegative: boolean): number {
  if (code !== responseCodes.NOERROR && code !== responseCodes.NXDOMAIN) return 0;
  if (!isNegative) return reading.leastTtl;
  return Math.max(0, Math.min(reading.leastTtl, reading.negativeTtl));
}
