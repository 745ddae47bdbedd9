import type { Endpoint } from '../config.ts';

/** A socket of ours that is connected to one server, on a port that the system chose by chance. */
export interface PortSocket {
  /** Sends a packet, which the caller leaves as it is. What goes wrong is told later, never before this returns. */
  send(packet: Uint8Array): void;
  /** Reads what has come already, without waiting for the event loop to say so. */
  drain(): void;
  /** Nothing is told afterwards. */
  close(): void;
}

/** What a port tells. */
export interface PortEars {
  /** `bytes` are the callee's until it returns, to change as well. */
  onPacket(bytes: Uint8Array): void;
  /** The event loop said that packets are there, and the first one was told: others may have some as well. */
  onWoken(): void;
  /** A code of the system such as `ECONNREFUSED`, of something sent before or of the socket itself. */
  onError(code: string): void;
}

/** Opens a port. Never throws: that there is no way to the server is told later, as `onError`. */
export type OpenPort = (to: Endpoint, ears: PortEars) => PortSocket;

/** What the kernel may hold for one port while we are at something else, in bytes; it gives less where its limits are lower. */
export const portBufferBytes = 1_048_576;
