import { readUint16, recordTypes, writeUint16 } from './wire.ts';

/** Bytes of the OPT record that hsdo writes: it has no options. */
export const optBytes = 11;

/** What an OPT record of a query says (RFC 6891 section 6.1). */
export interface Edns {
  isPresent: boolean;
  version: number;
  /** The largest UDP reply that the asker takes. */
  udpBytes: number;
  /** The bit DO: the asker understands DNSSEC (RFC 3225). */
  isDnssecOk: boolean;
}

/** True when every option within `[at, end)` is whole. What they say is not looked at: unknown ones are ignored. */
function areOptionsWhole(bytes: Uint8Array, at: number, end: number): boolean {
  let next = at;
  while (next + 4 <= end) next += 4 + readUint16(bytes, next + 2);
  return next === end;
}

/** Reads the OPT record whose type stands at `at` and whose data end at `end`. False when it is malformed. */
export function readOpt(bytes: Uint8Array, at: number, end: number, edns: Edns): boolean {
  edns.isPresent = true;
  edns.udpBytes = readUint16(bytes, at + 2);
  edns.version = bytes[at + 5] as number;
  edns.isDnssecOk = ((bytes[at + 6] as number) & 0x80) !== 0;
  return areOptionsWhole(bytes, at + 10, end);
}

/** Writes our OPT record: our size, the high bits of the code, version 0, and DO as it came (RFC 3225 section 3). */
export function writeOpt(reply: Uint8Array, at: number, ourBytes: number, code: number, isDnssecOk: boolean): number {
  reply[at] = 0;
  writeUint16(reply, at + 1, recordTypes.OPT);
  writeUint16(reply, at + 3, ourBytes);
  reply[at + 5] = code >>> 4;
  reply[at + 6] = 0;
  writeUint16(reply, at + 7, isDnssecOk ? 0x8000 : 0);
  writeUint16(reply, at + 9, 0);
  return at + optBytes;
}
