/** What may come over one connection; an honest answer to any of hsdo's questions is some hundred bytes long. */
const mostBytes = 65_536;
/** Elements of one list. The longest honest one names the replicas of a master. */
const mostElements = 1000;
/** A list that claims more than this makes the library throw, which is harmless. */
const beyondLists = 2 ** 32;

/** Looks at bytes before the library does. */
export interface Screen {
  /** Says what is wrong with all bytes so far; undefined while nothing is. */
  look(chunk: Uint8Array): string | undefined;
}

const listMarks: ReadonlySet<number> = new Set(Buffer.from('*~%>'));
const [zero, carriageReturn] = [48, 13];

/**
 * Refuses what would cost the process its memory. The library redis 6.3.1 reserves room for as many elements as a list
 * claims to have, so that 2.4 kB of nested `*32000000` end the whole process (measured on Node 20), and it keeps every
 * byte of an answer that never ends.
 *
 * The library trusts lengths and skips line ends unseen, so where a list begins depends on every byte before it. Instead
 * of following that, every place where one could begin is counted as the library would count it: RESP
 * lengths are decimal digits up to a carriage return (Redis serialization protocol specification). Text within an honest
 * answer is no such length: none has a mark followed by a number of that size.
 */
export function createScreen(): Screen {
  let bytes = 0;
  let claims: number[] = [];
  let fault: string | undefined;

  function see(byte: number): void {
    if (byte === carriageReturn) {
      if (claims.some((claim) => claim > mostElements)) fault = `a list of more than ${mostElements} elements`;
      claims = [];
      return;
    }
    // Never more than a dozen: a claim that is not 0 outgrows every list in ten bytes, and no mark leaves one at 0.
    if (claims.length > 0) {
      claims = claims.map((claim) => claim * 10 + byte - zero).filter((claim) => Math.abs(claim) < beyondLists);
    }
    if (listMarks.has(byte)) claims.push(0);
  }

  return {
    look(chunk) {
      bytes += chunk.length;
      if (bytes > mostBytes) fault ??= `more than ${mostBytes} bytes`;
      for (let at = 0; at < chunk.length && fault === undefined; at += 1) see(chunk[at] ?? 0);
      return fault;
    },
  };
}
