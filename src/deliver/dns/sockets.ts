import { hasCode } from '../../model/error.ts';
import type { Clock } from '../../time/clock.ts';
import type { DnsConfig, Endpoint } from './config.ts';
import type { InheritedSocket } from './inherited.ts';
import { linux, openUdpSocket, prepareUdpSocket } from './linux-socket.ts';
import { addressBytes } from './network.ts';
import { endpointText, type Place } from './place.ts';
import type { KeptSocket } from './protocol.ts';
import type { Responder } from './responder.ts';
import type { Transport } from './self-test.ts';
import { createTcp, type Tcp, type TcpListener } from './tcp.ts';
import { createBatch } from './udp-batch.ts';
import { openDgram } from './udp-dgram.ts';
import type { UdpListener } from './udp-listener.ts';

/** Everything that is open in the thread that answers. */
export interface Sockets {
  /** `udp 127.0.0.1:8053` and so on. */
  readonly addresses: readonly string[];
  readonly endpoints: readonly Endpoint[];
  readonly kept: readonly KeptSocket[];
  readonly tcp: Tcp;
  /** Closes all, but for the sockets that are kept. */
  close(): void;
}

interface SocketsOptions {
  readonly config: DnsConfig;
  readonly inherited: readonly InheritedSocket[];
  readonly kept: readonly KeptSocket[];
  readonly transport: Transport;
  readonly responder: Responder;
  readonly clock: Clock;
}

/** Ports that the kernel chose for UDP and that were taken for TCP, before one gives up. */
const portTries = 20;

/**
 * Opens UDP and TCP on every address, or answers on those that were inherited. With port 0 (tests) TCP gets the port that
 * UDP got.
 *
 * @throws HsdoError `config` when an address cannot be had, naming it and what to do; then none is left open.
 */
export async function openSockets(options: SocketsOptions): Promise<Sockets> {
  const { config, inherited, responder, clock } = options;
  const { maxConnections, idleSeconds } = config.tcp;
  const tcp = createTcp({ responder, clock, maxConnections, idleMs: idleSeconds * 1000 });
  const openUdp = createUdpOpener(options);
  const others = new Set([...inherited, ...options.kept].map(({ fd }) => fd));
  /** What was given to us is not ours to close. */
  const discard = ({ kept, close }: UdpListener) => (kept && others.has(kept.fd) ? kept.release() : close());
  const udp: UdpListener[] = [];
  const streams: TcpListener[] = [];
  try {
    for (const socket of inherited) {
      if (socket.kind === 'udp') udp.push(await openUdp(socket));
      else streams.push(await tcp.listen({ ...socket, fd: ownDescriptor(options.transport, socket.fd) }));
    }
    for (const endpoint of inherited.length > 0 ? [] : config.listen) {
      const pair = await openPair(endpoint, openUdp, tcp, discard);
      udp.push(pair.udp);
      streams.push(pair.tcp);
    }
  } catch (error) {
    for (const listener of udp) discard(listener);
    tcp.close();
    throw error;
  }
  const text = (kind: string) => (listener: { readonly endpoint: Endpoint }) =>
    `${kind} ${endpointText(listener.endpoint)}`;
  return {
    addresses: [...udp.map(text('udp')), ...streams.map(text('tcp'))],
    endpoints: udp.map(({ endpoint }) => endpoint),
    kept: udp.flatMap(({ kept, endpoint }) => (kept ? [{ fd: kept.fd, endpoint }] : [])),
    tcp,
    close() {
      for (const { kept, close } of udp) (kept?.release ?? close)();
      tcp.close();
    },
  };
}

type OpenUdp = (place: Place) => Promise<UdpListener>;

async function openPair(endpoint: Endpoint, openUdp: OpenUdp, tcp: Tcp, discard: (listener: UdpListener) => void) {
  for (let tries = 1; ; tries += 1) {
    const udp = await openUdp({ endpoint });
    try {
      return { udp, tcp: await tcp.listen(udp) };
    } catch (error) {
      discard(udp);
      if (endpoint.port !== 0 || tries === portTries || !hasCode(error, 'config')) throw error;
    }
  }
}

/** Opens one UDP address by the transport that was chosen, with the socket that was kept for it if there is one. */
function createUdpOpener({ transport, responder, kept }: SocketsOptions): OpenUdp {
  const socketOf = (place: Place): number | undefined =>
    place.fd ?? kept.find(({ endpoint }) => endpointText(endpoint) === endpointText(place.endpoint))?.fd;
  if (transport.kind === 'dgram') {
    return ({ endpoint, ...place }) => {
      const fd = socketOf({ endpoint, ...place });
      return openDgram(fd === undefined ? { endpoint } : { endpoint, fd }, responder);
    };
  }
  const { libc } = transport;
  const batch = createBatch(libc, responder);
  return (place) => {
    const fd = socketOf(place);
    if (fd === undefined) return batch.open(openUdpSocket(libc, place.endpoint, addressBytes));
    const socket = { fd, endpoint: place.endpoint };
    libc.fcntl(fd, linux.fSetFd, linux.descriptorCloseOnExec);
    prepareUdpSocket(libc, socket);
    return batch.open(socket);
  };
}

/**
 * A second number of an inherited socket where that can be had: Node closes the one that it is given when the thread
 * ends, and the next thread needs the socket again.
 */
function ownDescriptor(transport: Transport, fd: number): number {
  if (transport.kind === 'dgram') return fd;
  const { libc } = transport;
  libc.fcntl(fd, linux.fSetFd, linux.descriptorCloseOnExec);
  const own = libc.fcntl(fd, linux.fDuplicateCloseOnExec, 3);
  return own < 0 ? fd : own;
}
