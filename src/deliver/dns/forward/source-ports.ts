import { readUint16, writeUint16 } from '../answer/wire.ts';
import type { Endpoint } from '../config.ts';
import { createChains, type Linked } from './chains.ts';
import type { Chance } from './chance.ts';
import type { OpenPort, PortSocket } from './port-socket.ts';

/** A packet on its way to a server. Its hash is its id. */
export interface Errand extends Linked<Errand> {
  hash: number;
  packet: Buffer;
  /** Where its answer is waited for. */
  port: SourcePort | undefined;
}

/** A socket, and what was found about it. */
interface SourcePort {
  readonly socket: PortSocket;
  readonly openedAt: number;
  asked: number;
  /** Errands that wait for an answer here. */
  waiting: number;
  /** Packets that answered nothing. */
  foreign: number;
  isRetired: boolean;
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
  onPacket(errand: T, bytes: Uint8Array): boolean;
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

/**
 * Sends to one server from ports and with ids that nobody can foresee (RFC 5452 section 9.2): each packet from one of
 * several sockets, chosen by chance, which are replaced all the time. The sockets are connected, so the kernel lets only
 * packets from the server's own address and port in, and tells when nobody listens there.
 */
export function createSourcePorts<T extends Errand>(
  to: Endpoint,
  openPort: OpenPort,
  chance: Chance,
  ears: Ears<T>,
): SourcePorts<T> {
  const ports: (SourcePort | undefined)[] = Array.from({ length: portCount }, () => undefined);
  const retired = new Set<SourcePort>();
  const errands = createChains<Errand>();

  function find(port: SourcePort, id: number): Errand | undefined {
    let errand = errands.first(id);
    while (errand !== undefined && (errand.hash !== id || errand.port !== port)) errand = errand.next;
    return errand;
  }

  function retire(port: SourcePort): void {
    if (port.isRetired) return;
    port.isRetired = true;
    const place = ports.indexOf(port);
    if (place >= 0) ports[place] = undefined;
    if (port.waiting === 0) port.socket.close();
    else retired.add(port);
  }

  function forget(port: SourcePort, errand: Errand): void {
    errands.remove(errand);
    errand.port = undefined;
    port.waiting -= 1;
    if (port.isRetired && port.waiting === 0 && retired.delete(port)) port.socket.close();
  }

  function onError(port: SourcePort, code: string): void {
    // A connected socket goes on after this one, which tells of packets sent before, not of the socket.
    if (code !== 'ECONNREFUSED') retire(port);
    if (port.waiting === 0) return;
    for (const errand of errands.filter((one) => one.port === port)) {
      forget(port, errand);
      ears.onRefused(errand as T);
    }
  }

  function onPacket(port: SourcePort, bytes: Uint8Array): void {
    const errand = bytes.length < 2 ? undefined : find(port, readUint16(bytes, 0));
    if (errand !== undefined && ears.onPacket(errand as T, bytes)) return;
    port.foreign += 1;
    if (port.foreign >= mostForeign) retire(port);
    ears.onForeign();
  }

  /** Who reads early is not woken for it. */
  function drainAll(): void {
    for (const port of ports) if (port !== undefined && port.waiting > 0) port.socket.drain();
    for (const port of retired) port.socket.drain();
  }

  function open(now: number): SourcePort {
    const socket = openPort(to, {
      onPacket: (bytes) => onPacket(port, bytes),
      onWoken: drainAll,
      onError: (code) => onError(port, code),
    });
    const port: SourcePort = { socket, openedAt: now, asked: 0, waiting: 0, foreign: 0, isRetired: false };
    return port;
  }

  function portFor(now: number): SourcePort {
    const place = chance.byte() % portCount;
    const old = ports[place];
    if (old !== undefined && old.asked < mostQuestions && now - old.openedAt < longestMs) return old;
    if (old !== undefined) retire(old);
    const port = open(now);
    ports[place] = port;
    return port;
  }

  return {
    send(errand, now) {
      const port = portFor(now);
      let id = chance.short();
      while (find(port, id) !== undefined) id = chance.short();
      writeUint16(errand.packet, 0, id);
      errand.hash = id;
      errand.port = port;
      errands.add(errand);
      port.waiting += 1;
      port.asked += 1;
      port.socket.send(errand.packet);
    },
    remove(errand) {
      if (errand.port !== undefined) forget(errand.port, errand);
    },
    close() {
      for (const port of [...ports, ...retired]) {
        if (port === undefined) continue;
        port.isRetired = true;
        port.socket.close();
      }
      ports.fill(undefined);
      retired.clear();
      errands.clear();
    },
  };
}
