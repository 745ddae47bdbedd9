import type { Endpoint } from '../config.ts';

/** An open UDP socket with whoever answers on it. */
export interface UdpListener {
  /** With the port that was really taken. */
  readonly endpoint: Endpoint;
  /** The socket, where that outlives the thread, so that the next thread can go on with it. */
  readonly kept?: { readonly fd: number; release(): void };
  /** Replies that could not be sent so far: no room, no way to the client. */
  unsent(): number;
  /** Closes the socket. `kept.release` ends the answering and leaves it open. */
  close(): void;
}
