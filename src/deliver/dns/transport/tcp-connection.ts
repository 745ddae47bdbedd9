import type { Socket } from 'node:net';
import { readAddress } from '../answer/address-bytes.ts';
import { type Asker, askLater, type Responder } from '../responder.ts';

/** A query that says it is longer ends the connection: no honest one comes near. */
const maxQueryBytes = 4096;
/** Replies that wait for the client to read before no more of its queries are. */
const maxWaitingBytes = 64 * 1024;
/** Forwarded queries of one client that wait at once, likewise. */
const maxPending = 100;
const lengthBytes = 2;

/** Replies are made here and copied, since a connection keeps its own until they are sent. */
const scratch = new Uint8Array(65_535);

export interface Connection {
  /** Monotonic time of the last query that was complete, or of the connection itself. */
  heardAt(): number;
  /** Queries that wait for other servers. */
  pending(): number;
  /** True when we owe it nothing. Half a query is no claim: whoever sent halves could keep all others out. */
  isIdle(): boolean;
  close(): void;
}

/**
 * Answers on one connection (RFC 7766): each message behind its length in two bytes, as many at once as the client
 * likes, answers that had to be asked for whenever they come (section 6.2.1.1). Nothing is read while the client does not
 * read, so what is kept for it is bounded. A client that ends its half still gets its answers.
 */
export function createConnection(socket: Socket, responder: Responder, now: () => number): Connection {
  const asker: Asker = { transport: 'tcp', address: addressOf(socket) };
  let rest: Buffer = Buffer.alloc(0);
  let heardAt = now();
  let pending = 0;
  let hasEnded = false;
  let isWorking = false;

  const isBlocked = () => socket.writableLength > maxWaitingBytes || pending >= maxPending;
  const reply = (bytes: Uint8Array) => {
    if (socket.destroyed || !socket.writable) return;
    const message = Buffer.allocUnsafe(lengthBytes + bytes.length);
    message.writeUInt16BE(bytes.length, 0);
    message.set(bytes, lengthBytes);
    socket.write(message);
  };

  function take(query: Uint8Array): void {
    heardAt = now();
    const length = responder.now(query, 0, query.length, asker, scratch);
    if (length > 0) reply(scratch.subarray(0, length));
    if (length !== askLater) return;
    pending += 1;
    responder.later(Uint8Array.from(query), { ...asker }, (bytes) => {
      pending -= 1;
      reply(bytes);
      work();
    });
  }

  /** Takes complete messages off the front; gives the place behind the last one, or -1 for a length that is none. */
  function takeAll(): number {
    let at = 0;
    while (rest.length - at >= lengthBytes && !isBlocked()) {
      const length = rest.readUInt16BE(at);
      if (length === 0 || length > maxQueryBytes) return -1;
      const end = at + lengthBytes + length;
      if (end > rest.length) break;
      take(rest.subarray(at + lengthBytes, end));
      at = end;
    }
    return at;
  }

  function work(): void {
    // An answer that is there at once calls us while we are at it.
    if (isWorking || socket.destroyed) return;
    isWorking = true;
    socket.cork();
    const taken = takeAll();
    socket.uncork();
    isWorking = false;
    if (taken < 0) return void socket.destroy();
    rest = rest.subarray(taken);
    if (isBlocked()) socket.pause();
    else if (hasEnded && pending === 0) socket.end();
    else socket.resume();
  }

  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    work();
  });
  socket.on('drain', work);
  socket.on('end', () => {
    hasEnded = true;
    work();
  });
  // A client that goes away in the middle; 'close' follows.
  socket.on('error', () => {});

  return {
    heardAt: () => heardAt,
    pending: () => pending,
    isIdle: () => pending === 0 && socket.writableLength === 0,
    close: () => void socket.destroy(),
  };
}

function addressOf(socket: Socket): Uint8Array {
  const bytes = new Uint8Array(16);
  return bytes.subarray(0, readAddress(socket.remoteAddress ?? '', bytes));
}
