import { readUint16, recordTypes } from './wire.ts';

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
export function writeOpt(view: DataView, at: number, ourBytes: number, code: number, isDnssecOk: boolean): number {
  view.setUint8(at, 0);
  view.setUint16(at + 1, recordTypes.OPT);
  view.setUint16(at + 3, ourBytes);
  view.setUint16(at + 5, (code >>> 4) << 8);
  view.setInt32(at + 7, isDnssecOk ? 0x8000_0000 : 0);
  return at + optBytes;
}
