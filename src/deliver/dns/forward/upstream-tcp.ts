import { connect } from 'node:net';
import { readUint16 } from '../answer/wire.ts';
import type { Endpoint } from '../config.ts';

/** A question over a connection of its own. */
export interface TcpQuestion {
  /** Ends it; nothing is reported afterwards. */
  close(): void;
}

/**
 * Sends one packet over TCP, its length before it (RFC 1035 section 4.2.2), and reports the first one that comes back;
 * `undefined` when the connection ends or fails before that is whole. The caller sees to the time that it may take.
 */
export function askByTcp(
  to: Endpoint,
  packet: Uint8Array,
  onEnd: (reply: Uint8Array | undefined) => void,
): TcpQuestion {
  const socket = connect({ host: to.host, port: to.port, noDelay: true });
  let received: Buffer = Buffer.alloc(0);
  let isOver = false;

  function finish(reply: Uint8Array | undefined): void {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    onEnd(reply);
  }

  socket.on('connect', () => {
    const head = Buffer.from([packet.length >>> 8, packet.length & 0xff]);
    socket.write(Buffer.concat([head, packet]));
  });
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (received.length < 2) return;
    const end = 2 + readUint16(received, 0);
    if (received.length >= end) finish(received.subarray(2, end));
  });
  socket.on('error', () => finish(undefined));
  socket.on('close', () => finish(undefined));
  return {
    close() {
      isOver = true;
      socket.destroy();
    },
  };
}
