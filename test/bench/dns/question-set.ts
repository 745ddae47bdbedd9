import type { Asked } from './load-order.ts';

/** One question as it goes over the wire, and what its reply has to say. */
export interface Question {
  /** The whole query with id 0 (RFC 1035 section 4.1). */
  readonly packet: Uint8Array;
  /** Where the question section ends. */
  readonly end: number;
  /** IPv4 addresses as numbers; all are expected. */
  readonly addresses: readonly number[];
}

/** OPT of EDNS(0) with a size of 1232 and nothing else (RFC 6891 section 6.1.2). */
const opt = [0, 0, 41, 1232 >> 8, 1232 & 0xff, 0, 0, 0, 0, 0, 0];

function labelsOf(name: string): number[] {
  return [...name.split('.').flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]), 0];
}

export function addressNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

/** A query of type A, class IN, without recursion wanted. */
export function questionFor({ name, addresses }: Asked, hasEdns: boolean): Question {
  const header = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, hasEdns ? 1 : 0];
  const question = [...labelsOf(name), 0, 1, 0, 1];
  const packet = Uint8Array.from([...header, ...question, ...(hasEdns ? opt : [])]);
  return {
    packet,
    end: header.length + question.length,
    addresses: addresses.map(addressNumber),
  };
}

/** What a look at a reply found. One object is used again for every reply. */
export interface Finding {
  /** Empty: all is right. */
  fault: string;
  /** The place of the first address in what is expected. */
  first: number;
  /** The second byte of the first address. */
  version: number;
}

const versionBits = 0x00ff0000;

/** Where the name that begins at `at` ends: its own labels, or a pointer (RFC 1035 section 4.1.4). */
function endOfName(bytes: Uint8Array, at: number): number {
  let end = at;
  for (;;) {
    const length = bytes[end] ?? 0;
    if (length >= 0xc0) return end + 2;
    end += 1 + length;
    if (length === 0) return end;
  }
}

function sixteen(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Reads the answers from `at`: A records of class IN, each of the expected addresses once. */
function readAnswers(
  bytes: Uint8Array,
  from: number,
  until: number,
  question: Question,
  ignored: number,
  finding: Finding,
) {
  let [at, seen] = [from, 0];
  for (let number = 0; number < question.addresses.length; number += 1) {
    at = endOfName(bytes, at);
    if (at + 14 > until || sixteen(bytes, at) !== 1 || sixteen(bytes, at + 2) !== 1 || sixteen(bytes, at + 8) !== 4) {
      finding.fault = 'no A record';
      return;
    }
    const address = ((sixteen(bytes, at + 10) << 16) | sixteen(bytes, at + 12)) >>> 0;
    const place = question.addresses.indexOf((address & ~ignored) >>> 0);
    if (place < 0) finding.fault = 'address';
    else if ((seen & (1 << place)) !== 0) finding.fault = 'address twice';
    seen |= 1 << place;
    if (number === 0) [finding.first, finding.version] = [place, (address & versionBits) >>> 16];
    at += 14;
  }
}

/**
 * Looks whether `bytes[start, start + length)` is the right reply to a question; the id is looked at by the caller.
 * With `hasVersions` the second byte of an address is not compared (it is expected as 0), but told.
 */
export function lookAtReply(
  bytes: Uint8Array,
  start: number,
  length: number,
  question: Question,
  hasVersions: boolean,
  finding: Finding,
): void {
  finding.fault = '';
  if (length < question.end) finding.fault = 'too short';
  // QR and opcode 0, without TC; RCODE 0. AA and RA differ from server to server.
  else if (((bytes[start + 2] ?? 0) & 0xfa) !== 0x80) finding.fault = 'flags';
  else if (((bytes[start + 3] ?? 0) & 0x0f) !== 0) finding.fault = `code ${(bytes[start + 3] ?? 0) & 0x0f}`;
  else if (sixteen(bytes, start + 6) !== question.addresses.length) finding.fault = 'number of answers';
  else {
    for (let at = 12; at < question.end; at += 1)
      if (bytes[start + at] !== question.packet[at]) {
        finding.fault = 'question';
        return;
      }
    readAnswers(bytes, start + question.end, start + length, question, hasVersions ? versionBits : 0, finding);
  }
}
