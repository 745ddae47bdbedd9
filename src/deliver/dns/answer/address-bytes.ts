/** Value of a hexadecimal digit by its character code; NaN for anything else. */
function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : Number.NaN;
}

/** Reads `a.b.c.d` from `from` on into four bytes at `at`; false when it is something else. */
function readDotted(text: string, from: number, into: Uint8Array, at: number): boolean {
  let value = -1;
  let index = at;
  for (let n = from; n <= text.length; n += 1) {
    const code = n === text.length ? 46 : text.charCodeAt(n);
    if (code === 46) {
      if (value < 0 || value > 255 || index === at + 4) return false;
      into[index] = value;
      index += 1;
      value = -1;
    } else {
      if (code < 48 || code > 57) return false;
      value = (value < 0 ? 0 : value * 10) + code - 48;
      if (value > 255) return false;
    }
  }
  return index === at + 4;
}

/** What stands before a zone such as `%eth0` (RFC 4007 section 11). */
function withoutZone(text: string): string {
  const zone = text.indexOf('%');
  return zone < 0 ? text : text.slice(0, zone);
}

/** One group of an IPv6 address that ends before `end`; -1 when it is none. */
function readGroup(text: string, from: number, end: number): number {
  if (end === from || end - from > 4) return -1;
  let value = 0;
  for (let n = from; n < end; n += 1) value = value * 16 + hexValue(text.charCodeAt(n));
  return Number.isNaN(value) ? -1 : value;
}

/** Moves what was read after `::` to the end and fills the gap with zeros; false when the address is not complete. */
function spread(into: Uint8Array, filled: number, gap: number): boolean {
  if (gap < 0) return filled === 16;
  if (filled > 14) return false;
  into.copyWithin(16 - (filled - gap), gap, filled);
  into.fill(0, gap, 16 - (filled - gap));
  return true;
}

function readSix(text: string, into: Uint8Array): boolean {
  let filled = 0;
  let gap = -1;
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('::', at)) {
      if (gap >= 0) return false;
      gap = filled;
      at += 2;
      continue;
    }
    if (at > 0 && gap !== filled) {
      if (text.charCodeAt(at) !== 58) return false;
      at += 1;
    }
    let end = text.indexOf(':', at);
    if (end < 0) end = text.length;
    if (filled > 14) return false;
    const group = readGroup(text, at, end);
    if (group < 0) {
      if (end !== text.length || filled > 12 || !readDotted(text, at, into, filled)) return false;
      filled += 4;
    } else {
      into[filled] = group >> 8;
      into[filled + 1] = group & 0xff;
      filled += 2;
    }
    at = end;
  }
  return spread(into, filled, gap);
}

/** True for `::ffff:0:0/96`: an IPv4 address as IPv6 sockets show it (RFC 4291 section 2.5.5.2). */
export function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let n = 0; n < 10; n += 1) if (bytes[at + n] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/**
 * Reads an IP address, as Node writes those of peers, into the first bytes of `into` (at least 16), without an object
 * on the way. Gives 4 or 16, and 0 for a text that is no address; an IPv4 address in IPv6 clothes gives its 4.
 */
export function readAddress(text: string, into: Uint8Array): number {
  if (text.indexOf(':') < 0) return readDotted(text, 0, into, 0) ? 4 : 0;
  if (!readSix(withoutZone(text), into)) return 0;
  if (!isMapped(into, 0)) return 16;
  into.copyWithin(0, 12, 16);
  return 4;
}
