import ipaddr from 'ipaddr.js';

/** Every address as four words of IPv6, an IPv4 address as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). */
const words = 4;
const mappedPrefixBits = 96;
const mappedWord = 0xffff;

/**
 * Reads networks such as `10.0.0.0/8` and `fc00::/7`, or single addresses, and gives a test of addresses of four or
 * sixteen bytes against them. It decides as `net.BlockList` does, where IPv4 and its IPv6 clothes are the same address
 * and bits behind the prefix do not count, but without a string, an object or a call of C++ for each address.
 *
 * @throws Error for a text that is not an address or a network; the configuration has looked at them before.
 */
export function createNetworkMatcher(texts: readonly string[]): (address: Uint8Array) => boolean {
  const values = new Int32Array(texts.length * words);
  const masks = new Int32Array(texts.length * words);
  for (const [at, text] of texts.entries()) readNetwork(text, at * words, values, masks);
  const end = values.length;

  return (address) => {
    const first = addressWord(address, 0);
    const second = addressWord(address, 1);
    const third = addressWord(address, 2);
    const fourth = addressWord(address, 3);
    for (let at = 0; at < end; at += words) {
      if (
        (fourth & (masks[at + 3] as number)) === values[at + 3] &&
        (third & (masks[at + 2] as number)) === values[at + 2] &&
        (second & (masks[at + 1] as number)) === values[at + 1] &&
        (first & (masks[at] as number)) === values[at]
      )
        return true;
    }
    return false;
  };
}

/** Four bytes in network order. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** The mask of one word (32 bits) of a prefix: `bits` of it from the top, none where that is negative, all from 32 on. */
export function prefixMask(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : ~(-1 >>> bits);
}

/**
 * An IP address in four or sixteen bytes. An IPv6 address stays one, also as ::a.b.c.d, which ipaddr.js takes for IPv4
 * when nothing stands before the colons.
 *
 * @throws Error for anything else.
 */
export function addressBytes(text: string): Uint8Array {
  return Uint8Array.from(ipaddr.parse(text.startsWith('::') ? `0${text}` : text).toByteArray());
}

function readNetwork(text: string, at: number, values: Int32Array, masks: Int32Array): void {
  const [host = '', prefix] = text.split('/');
  const address = addressBytes(host);
  const isShort = address.length === 4;
  const bits = (prefix === undefined ? address.length * 8 : Number(prefix)) + (isShort ? mappedPrefixBits : 0);
  for (let word = 0; word < words; word += 1) {
    const mask = prefixMask(bits - word * 32);
    masks[at + word] = mask;
    values[at + word] = addressWord(address, word) & mask;
  }
}

/** One of the four words (32 bits) of an address of four or sixteen bytes in IPv6. */
export function addressWord(address: Uint8Array, word: number): number {
  if (address.length !== 4) return wordAt(address, word * 4);
  if (word === 3) return wordAt(address, 0);
  return word === 2 ? mappedWord : 0;
}
