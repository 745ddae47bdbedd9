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

/** Four bytes as a signed number, -2^31 to 2^31 - 1. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return (readUint16(bytes, at) << 16) | readUint16(bytes, at + 2);
}

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, value >>> 16);
  writeUint16(bytes, at + 2, value);
}

const encoder = new TextEncoder();

/**
 * Spells a name such as `a.example` as labels (RFC 1035 section 3.1), case kept, uncompressed. The empty text is the root.
 * Dots part labels and nothing is escaped: names of hsdo have none in their labels.
 * @throws Error for an empty label, one of more than 63 bytes, or more than 255 bytes in all.
 */
export function writeName(name: string): Uint8Array {
  const labels = name === '' ? [] : name.split('.').map((label) => encoder.encode(label));
  const bytes = new Uint8Array(labels.reduce((sum, label) => sum + label.length + 1, 1));
  if (bytes.length > 255) throw new Error(`cannot spell the name "${name}": ${bytes.length} bytes, at most 255`);
  let at = 0;
  for (const label of labels) {
    if (label.length === 0 || label.length > 63) {
      throw new Error(`cannot spell the name "${name}": a label of ${label.length} bytes, expected 1 to 63`);
    }
    bytes[at] = label.length;
    bytes.set(label, at + 1);
    at += label.length + 1;
  }
  return bytes;
}
