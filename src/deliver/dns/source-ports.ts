import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6, SocketAddress } from 'node:net';
import type { Chance } from './chance.ts';
import type { Endpoint } from './config.ts';
import { readUint16, writeUint16 } from './wire.ts';

/** A packet on its way to a server. */
export interface Errand {
  packet: Buffer;
  /** Where its answer is waited for. */
  port: SourcePort | undefined;
}

/** A socket whose port the system chose by chance, and what waits at it, by id. */
interface SourcePort {
  readonly socket: Socket;
  readonly errands: Map<number, Errand>;
  readonly openedAt: number;
  asked: number;
  /** Packets that answered nothing. */
  foreign: number;
  isRetired: boolean;
  readonly onSent: (error: Error | null) => void;
}

export interface SourcePorts<T extends Errand> {
  /** Writes an id into the packet and sends it. */
  send(errand: T, now: number): void;
  /** Its answer is not waited for any more. */
  remove(errand: T): void;
  close(): void;
}

interface Ears<T extends Errand> {
  /** A packet with the id of the errand; false when it is no answer to it. */
  onPacket(errand: T, bytes: Buffer): boolean;
  /** A packet that answers nothing: late, forged, or broken. */
  onForeign(): void;
  /** The system says that nobody listens there, or that there is no way. */
  onRefused(errand: T): void;
}

/** Ports open at one moment for one server. */
const portCount = 16;
/** A port is left for a new one after this time or as many questions, so that finding it out is not worth much. */
const longestMs = 10_000;
const mostQuestions = 2000;
/** As many packets without a question look like somebody who guesses ids. */
const mostForeign = 32;
const receiveBytes = 1_048_576;

/**
 * Sends to one server from ports and with ids that nobody can foresee (RFC 5452 section 9.2): each packet from one of
 * several sockets, chosen by chance, which are replaced all the time. The sockets are connected, so the kernel lets only
 * packets from the server's own address and port in, and tells when nobody listens there.
 */
export function createSourcePorts<T extends Errand>(to: Endpoint, chance: Chance, ears: Ears<T>): SourcePorts<T> {
  const ports: (SourcePort | undefined)[] = Array.from({ length: portCount });
  const retired = new Set<SourcePort>();
  const family = isIPv6(to.host) ? 6 : 4;
  // As the system spells it.
  const { address } = new SocketAddress({ address: to.host, family: `ipv${family}` });

  function retire(port: SourcePort): void {
    if (port.isRetired) return;
    port.isRetired = true;
    const place = ports.indexOf(port);
    if (place >= 0) ports[place] = undefined;
    if (port.errands.size === 0) port.socket.close();
    else retired.add(port);
  }

  function forget(port: SourcePort, errand: Errand): void {
    port.errands.delete(readUint16(errand.packet, 0));
    errand.port = undefined;
    if (port.isRetired && port.errands.size === 0 && retired.delete(port)) port.socket.close();
  }

  function onError(port: SourcePort, error: NodeJS.ErrnoException): void {
    // A connected socket goes on after this one, which tells of packets sent before, not of the socket.
    if (error.code !== 'ECONNREFUSED') retire(port);
    for (const errand of [...port.errands.values()]) {
      forget(port, errand);
      ears.onRefused(errand as T);
    }
  }

  function onMessage(port: SourcePort, bytes: Buffer, from: RemoteInfo): void {
    const errand = bytes.length < 2 ? undefined : port.errands.get(readUint16(bytes, 0));
    // What came in between opening and connecting could be from anybody.
    const isServer = from.port === to.port && from.address === address;
    if (errand !== undefined && isServer && ears.onPacket(errand as T, bytes)) return;
    port.foreign += 1;
    if (port.foreign >= mostForeign) retire(port);
    ears.onForeign();
  }

  function open(now: number): SourcePort {
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      recvBufferSize: receiveBytes,
      // Addresses only: there is nothing to look up, and so everything is open at once.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    const errands = new Map<number, Errand>();
    const onSent = (error: Error | null) => {
      if (error !== null) onError(port, error);
    };
    const port = { socket, errands, openedAt: now, asked: 0, foreign: 0, isRetired: false, onSent };
    socket.on('error', (error) => onError(port, error));
    socket.on('message', (bytes, from) => onMessage(port, bytes, from));
    socket.connect(to.port, to.host);
    return port;
  }

  function portFor(now: number): SourcePort {
    const place = chance.byte() % portCount;
    const old = ports[place];
    if (old !== undefined && old.asked < mostQuestions && now - old.openedAt < longestMs) return old;
    if (old !== undefined) retire(old);
    const port = open(now);
    // It may have failed already.
    if (!port.isRetired) ports[place] = port;
    return port;
  }

  return {
    send(errand, now) {
      const port = portFor(now);
      let id = chance.short();
      while (port.errands.has(id)) id = chance.short();
      writeUint16(errand.packet, 0, id);
      port.errands.set(id, errand);
      errand.port = port;
      port.asked += 1;
      transmit(port, errand.packet);
    },
    remove(errand) {
      if (errand.port !== undefined) forget(errand.port, errand);
    },
    close() {
      for (const port of [...ports, ...retired]) if (port !== undefined) closeQuietly(port);
      ports.fill(undefined);
      retired.clear();
    },
  };
}

/** What goes wrong is told later, never before this returns. */
function transmit(port: SourcePort, packet: Buffer): void {
  try {
    port.socket.send(packet, port.onSent);
  } catch (error) {
    queueMicrotask(() => port.onSent(error as Error));
  }
}

function closeQuietly(port: SourcePort): void {
  port.errands.clear();
  port.socket.removeAllListeners('message');
  port.isRetired = true;
  port.socket.close();
}
