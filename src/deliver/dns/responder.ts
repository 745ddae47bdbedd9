/** Who asks. One object is used again for every packet: whoever needs it later copies what it needs. */
export interface Asker {
  transport: 'udp' | 'tcp';
  /** The address in four or sixteen bytes; an IPv4 address in IPv6 clothes (::ffff:0:0/96) comes as its four. */
  address: Uint8Array;
}

/** What `now` gives when another server has to be asked first. */
export const askLater = -1;

/** Largest reply over UDP whatever the client says that it takes: what passes everywhere unfragmented (DNS flag day 2020). */
export const maxUdpReplyBytes = 1232;

/** Answers questions. Both transports, TCP and the tests talk to it. Never throws. */
export interface Responder {
  /**
   * Writes the reply to `query[start, start + length)` at the start of `reply`. Gives its length, 0 for silence, or
   * `askLater`, after which the caller hands a copy of the query to `later`.
   */
  now(query: Uint8Array, start: number, length: number, asker: Asker, reply: Uint8Array): number;
  /** Forwards the question. `send` is called once, or never when nothing may be said; `query` is the callee's own. */
  later(query: Uint8Array, asker: Asker, send: (reply: Uint8Array) => void): void;
}
