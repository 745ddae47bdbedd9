import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { readAddress } from '../answer/address-bytes.ts';
import type { Endpoint } from '../config.ts';
import { type Asker, askLater, maxUdpReplyBytes, type Responder } from '../responder.ts';
import { listenFault, type Place } from './place.ts';
import type { UdpListener } from './udp-listener.ts';

/** Replies that may be on their way at once: Node sends nearly all of them before it returns. */
const ringSize = 512;
const lookEvery = 128;
const socketBufferBytes = 4 * 1024 * 1024;

export interface DgramAnswers {
  /** `query` is the callee's from now on. */
  answer(query: Uint8Array, from: RemoteInfo): void;
  unsent(): number;
  /** Closes the socket; answers that come later are dropped. */
  close(): void;
}

/**
 * Answers packets that Node has received, through Node. Replies are written into a ring of buffers, since a socket that
 * has no room keeps them until it has; when half of the ring waits, replies are dropped.
 */
export function createDgramAnswers(socket: Socket, responder: Responder): DgramAnswers {
  const ring = Array.from({ length: ringSize }, () => new Uint8Array(maxUdpReplyBytes));
  const address = new Uint8Array(16);
  const views = { 4: address.subarray(0, 4), 16: address };
  const asker: Asker = { transport: 'udp', address };
  let next = 0;
  let isFull = false;
  let unsent = 0;
  let isOpen = true;
  // Whatever happens to one packet, such as a client that is gone, concerns that packet only.
  socket.on('error', () => {
    unsent += 1;
  });

  const send = (reply: Uint8Array, length: number, port: number, to: string) => {
    if (isOpen) socket.send(reply, 0, length, port, to);
  };
  const later = (query: Uint8Array, { port, address: to }: RemoteInfo) =>
    responder.later(query, { transport: 'udp', address: asker.address.slice() }, (reply) =>
      send(reply, reply.length, port, to),
    );
  return {
    answer(query, from) {
      const slot = next % ringSize;
      if (next % lookEvery === 0) isFull = socket.getSendQueueCount() > ringSize / 2;
      next += 1;
      // Port 0 can only be forged, and Node throws when it is asked to send there.
      if (isFull || from.port === 0) {
        unsent += 1;
        return;
      }
      asker.address = readAddress(from.address, address) === 4 ? views[4] : views[16];
      const reply = ring[slot] as Uint8Array;
      const length = responder.now(query, 0, query.length, asker, reply);
      if (length > 0) send(reply, length, from.port, from.address);
      else if (length === askLater) later(query, from);
    },
    unsent: () => unsent,
    close() {
      if (isOpen) socket.close();
      isOpen = false;
    },
  };
}

async function bind(socket: Socket, place: Place): Promise<void> {
  const listening = once(socket, 'listening');
  const { fd, endpoint } = place;
  if (fd === undefined) socket.bind({ address: endpoint.host, port: endpoint.port, exclusive: true });
  else socket.bind({ fd });
  await listening;
}

/** Node's own lookup of an address is a turn of the event loop; ours is none, there is nothing to look up. */
function sameAddress(isSix: boolean) {
  return (
    host: string,
    _options: unknown,
    found: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
  ) => found(null, host, isSix ? 6 : 4);
}

/**
 * A socket of Node, bound to an address or made of one that is bound already (which it then owns).
 *
 * @throws HsdoError `config` when the address cannot be had, naming it and what to do.
 */
export async function openDgramSocket(place: Place): Promise<{ readonly socket: Socket; readonly endpoint: Endpoint }> {
  const { host } = place.endpoint;
  const isSix = isIPv6(host);
  const socket = createSocket({ type: isSix ? 'udp6' : 'udp4', ipv6Only: isSix, lookup: sameAddress(isSix) });
  try {
    await bind(socket, place);
  } catch (error) {
    socket.close();
    throw listenFault('udp', place.endpoint, (error as NodeJS.ErrnoException).code ?? 'an unknown error', error);
  }
  growBuffers(socket);
  return { socket, endpoint: { host, port: socket.address().port } };
}

function growBuffers(socket: Socket): void {
  for (const grow of [
    () => socket.setRecvBufferSize(socketBufferBytes),
    () => socket.setSendBufferSize(socketBufferBytes),
  ]) {
    try {
      grow();
    } catch {
      // The system's own size does as well, it only holds less in a burst.
    }
  }
}

/**
 * Answers on one UDP address through Node, packet by packet; on every platform.
 *
 * Node does not tell which of this machine's addresses a packet was sent to. So on 0.0.0.0 and :: the kernel would choose
 * the address that a reply comes from, and on a machine with several a client may get it from another one than it asked,
 * and drop it (RFC 2181 section 4). So there are sockets on the addresses themselves, see udp-group.ts; only with inherited
 * sockets it is up to whoever opened them.
 *
 * @throws HsdoError `config` when the address cannot be had, naming it and what to do.
 */
export async function openDgram(place: Place, responder: Responder): Promise<UdpListener> {
  const { socket, endpoint } = await openDgramSocket(place);
  const answers = createDgramAnswers(socket, responder);
  socket.on('message', answers.answer);
  return { endpoint, unsent: answers.unsent, close: answers.close };
}
