import { readAddress } from '../answer/address-bytes.ts';
import type { Pen } from './pen.ts';
import type { RecordData } from './records.ts';

const encoder = new TextEncoder();
const address = new Uint8Array(16);
const addressBytes = { A: 4, AAAA: 16 } as const;

function putAddress(pen: Pen, type: 'A' | 'AAAA', text: string): void {
  const length = readAddress(text, address);
  // An IPv4 address in IPv6 clothes has its four bytes where they belong, too.
  const isMapped = length === 4 && text.includes(':');
  if (isMapped) address.fill(0, 0, 4);
  if ((isMapped ? 16 : length) !== addressBytes[type]) {
    throw new Error(`Cannot spell an ${type} record: "${text}" is no such address`);
  }
  pen.copy(address.subarray(0, addressBytes[type]));
}

/** Strings of up to 255 bytes, one after the other (RFC 1035 section 3.3.14); who reads them puts them together again. */
function putText(pen: Pen, text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < Math.max(1, bytes.length); at += 255) {
    const part = bytes.subarray(at, at + 255);
    pen.uint8(part.length);
    pen.copy(part);
  }
}

/**
 * Writes the data of a record as RFC 1035 section 3.3, RFC 3596 (AAAA) and RFC 2782 (SRV) have it, names uncompressed.
 * @throws Error for a name that cannot be spelled, and an address that is none of the type.
 */
export function putData(pen: Pen, data: RecordData): void {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      putAddress(pen, data.type, data.address);
      break;
    case 'CNAME':
    case 'NS':
      pen.name(data.target);
      break;
    case 'SRV':
      pen.uint16(data.priority);
      pen.uint16(data.weight);
      pen.uint16(data.port);
      pen.name(data.target);
      break;
    case 'TXT':
      putText(pen, data.text);
      break;
    case 'SOA':
      pen.name(data.primary);
      pen.name(data.mailbox);
      pen.int32(data.serial);
      pen.int32(data.refreshSeconds);
      pen.int32(data.retrySeconds);
      pen.int32(data.expireSeconds);
      pen.int32(data.negativeTtlSeconds);
  }
}
