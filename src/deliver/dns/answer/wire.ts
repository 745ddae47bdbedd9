/**
 * Types of records and questions, by the names that people know (IANA's DNS parameters). Others are asked for too, and
 * are called TYPE and their number (RFC 3597 section 5).
 */
export const recordTypes = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  TLSA: 52,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

/** How a question ended: RFC 1035 section 4.1.1, RFC 2136 for 6 to 10, RFC 6891 for 16. */
export const responseCodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
} as const;

/** The class of the Internet, the only one that hsdo knows. */
export const classInternet = 1;

/** Id, flags and four counts (RFC 1035 section 4.1.1). */
export const headerBytes = 12;

/** Owner as a pointer, type, class, TTL and length: what stands before the data of each record that hsdo writes. */
export const recordHeadBytes = 12;

const namesOfTypes = new Map<number, string>(Object.entries(recordTypes).map(([name, number]) => [number, name]));
const namesOfCodes = new Map<number, string>(Object.entries(responseCodes).map(([name, number]) => [number, name]));

/** `A`, `SRV`, or `TYPE` and the number. As there are 65,536 of them, who counts by type puts the unknown ones together. */
export function typeName(type: number): string {
  return namesOfTypes.get(type) ?? `TYPE${type}`;
}

/** True for types that have a name of their own here. */
export function isNamedType(type: number): boolean {
  return namesOfTypes.has(type);
}

/** `NOERROR`, `NXDOMAIN`, or `RCODE` and the number. */
export function codeName(code: number): string {
  return namesOfCodes.get(code) ?? `RCODE${code}`;
}

/** One byte; the caller has checked the bounds, here and below. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

/** Two bytes, the high one first, as everywhere in DNS. */
export function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

const longestName = 255;
const longestLabel = 63;

function unspelled(name: string, why: string): Error {
  return new Error(`Cannot spell the name "${name}": ${why}`);
}

/**
 * Spells a name such as `a.example` as labels (RFC 1035 section 3.1), case kept, uncompressed, at `into[at]`, where there
 * is room for 255 bytes. The empty text is the root. Dots part labels and nothing is escaped: names of hsdo have none in
 * their labels. Gives the place behind it.
 * @throws Error for an empty label, one of more than 63 bytes, more than 255 bytes in all, and letters that are not ASCII.
 */
export function spellName(name: string, into: Uint8Array, at: number): number {
  if (name.length > longestName - 2) throw unspelled(name, `${name.length} letters, expected up to 253`);
  let label = at;
  let next = at + 1;
  for (let index = 0; index <= name.length && name !== ''; index += 1) {
    const code = index === name.length ? 0x2e : name.charCodeAt(index);
    if (code > 0x7f) throw unspelled(name, 'expected ASCII letters');
    if (code === 0x2e) {
      const length = next - label - 1;
      if (length < 1 || length > longestLabel) throw unspelled(name, `a label of ${length} bytes, expected 1 to 63`);
      into[label] = length;
      label = next;
    } else {
      into[next] = code;
    }
    next += 1;
  }
  into[label] = 0;
  return label + 1;
}

/** The name in bytes of its own; see `spellName`. */
export function writeName(name: string): Uint8Array {
  const bytes = new Uint8Array(longestName);
  return bytes.slice(0, spellName(name, bytes, 0));
}
