import { hasCode } from '../../../model/error.ts';
import type { Clock } from '../../../time/clock.ts';
import { every } from '../../../time/every.ts';
import type { DnsConfig, Endpoint } from '../config.ts';
import { addressBytes } from '../network.ts';
import type { KeptSocket } from '../protocol.ts';
import type { Responder } from '../responder.ts';
import type { InheritedSocket } from './inherited.ts';
import { linux, openUdpSocket, prepareUdpSocket } from './linux-socket.ts';
import { localAddresses } from './local-addresses.ts';
import { endpointText, type Place } from './place.ts';
import type { Transport } from './self-test.ts';
import { createTcp, type Tcp, type TcpListener } from './tcp.ts';
import { createBatch } from './udp-batch.ts';
import { openDgram } from './udp-dgram.ts';
import { openUdpGroup, type UdpGroup } from './udp-group.ts';
import type { UdpListener } from './udp-listener.ts';

/** Everything that is open in the thread that answers. */
export interface Sockets {
  /** `udp 127.0.0.1:8053` and so on. */
  addresses(): readonly string[];
  /** One for each of `config.listen`, or of the inherited UDP sockets. */
  readonly endpoints: readonly Endpoint[];
  kept(): readonly KeptSocket[];
  readonly tcp: Tcp;
  /** Sends idle connections away, and follows the addresses of this machine where all of them are listened on. */
  run(changed: () => void, signal: AbortSignal): Promise<void>;
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
const followEveryMs = 5000;

/** What is kept belongs to the process and not to us. */
const release = ({ kept, close }: UdpListener) => (kept ? kept.release() : close());

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
  const others = new Set([...inherited, ...options.kept].map(({ fd }) => fd));
  const discard = (listener: UdpListener) =>
    listener.kept && others.has(listener.kept.fd) ? listener.kept.release() : listener.close();
  const open = createUdpOpener(options);
  const groups: UdpGroup[] = [];
  const streams: TcpListener[] = [];
  const udp = () => groups.flatMap((group) => group.listeners());
  try {
    for (const socket of inherited) {
      if (socket.kind === 'tcp') streams.push(await tcp.listen({ ...socket, fd: ownDescriptor(options, socket.fd) }));
      else groups.push(await openUdpGroup(socket, { open, drop: release, localAddresses }));
    }
    for (const endpoint of inherited.length > 0 ? [] : config.listen) {
      const openGroup = () => openUdpGroup({ endpoint }, { open, drop: discard, localAddresses });
      const pair = await openPair(endpoint, openGroup, tcp, discard);
      groups.push(pair.group);
      streams.push(pair.stream);
    }
  } catch (error) {
    udp().forEach(discard);
    tcp.close();
    throw error;
  }
  const text = (kind: string) => (listener: { readonly endpoint: Endpoint }) =>
    `${kind} ${endpointText(listener.endpoint)}`;
  return {
    addresses: () => [...udp().map(text('udp')), ...streams.map(text('tcp'))],
    endpoints: groups.map(({ endpoint }) => endpoint),
    kept: () => udp().flatMap(({ kept, endpoint }) => (kept ? [{ fd: kept.fd, endpoint }] : [])),
    tcp,
    async run(changed, signal) {
      const follow = async () => {
        const changes = await Promise.all(groups.map((group) => group.follow()));
        if (changes.includes(true)) changed();
      };
      await Promise.all([tcp.run(signal), every({ intervalMs: followEveryMs, clock }, follow, signal)]);
    },
    close() {
      udp().forEach(release);
      tcp.close();
    },
  };
}

async function openPair(
  endpoint: Endpoint,
  openGroup: () => Promise<UdpGroup>,
  tcp: Tcp,
  discard: (listener: UdpListener) => void,
): Promise<{ readonly group: UdpGroup; readonly stream: TcpListener }> {
  for (let tries = 1; ; tries += 1) {
    const group = await openGroup();
    try {
      return { group, stream: await tcp.listen(group) };
    } catch (error) {
      group.listeners().forEach(discard);
      if (endpoint.port !== 0 || tries === portTries || !hasCode(error, 'config')) throw error;
    }
  }
}

/** Opens one UDP address by the transport that was chosen, with the socket that was kept for it if there is one. */
function createUdpOpener({ transport, responder, kept }: SocketsOptions): (place: Place) => Promise<UdpListener> {
  const descriptorOf = (place: Place): number | undefined =>
    place.fd ?? kept.find(({ endpoint }) => endpointText(endpoint) === endpointText(place.endpoint))?.fd;
  if (transport.kind === 'dgram') {
    return ({ endpoint, ...more }) => {
      const fd = descriptorOf({ endpoint, ...more });
      return openDgram(fd === undefined ? { endpoint } : { endpoint, fd }, responder);
    };
  }
  const { libc } = transport;
  const batch = createBatch(libc, responder);
  return async (place) => {
    const fd = descriptorOf(place);
    if (fd === undefined) return batch.open(openUdpSocket(libc, place.endpoint, addressBytes));
    libc.fcntl(fd, linux.fSetFd, linux.descriptorCloseOnExec);
    prepareUdpSocket(libc, fd);
    return batch.open({ fd, endpoint: place.endpoint });
  };
}

/**
 * A second number of an inherited socket where that can be had: Node closes the one that it is given when the thread
 * ends, and the next thread needs the socket again.
 */
function ownDescriptor({ transport }: SocketsOptions, fd: number): number {
  if (transport.kind === 'dgram') return fd;
  const { libc } = transport;
  libc.fcntl(fd, linux.fSetFd, linux.descriptorCloseOnExec);
  const own = libc.fcntl(fd, linux.fDuplicateCloseOnExec, 3);
  return own < 0 ? fd : own;
}
