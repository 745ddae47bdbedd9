import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../../time/clock.ts';
import { every } from '../../../time/every.ts';
import type { Endpoint } from '../config.ts';
import type { Responder } from '../responder.ts';
import { listenFault, type Place } from './place.ts';
import { type Connection, createConnection } from './tcp-connection.ts';

/** An open TCP socket. */
export interface TcpListener {
  /** With the port that was really taken. */
  readonly endpoint: Endpoint;
  close(): void;
}

/** All of TCP: the listeners and their connections, which have one limit. */
export interface Tcp {
  /** @throws HsdoError `config` when the address cannot be had, naming it and what to do. */
  listen(place: Place): Promise<TcpListener>;
  connections(): number;
  /** Closes connections that say nothing for too long. */
  run(signal: AbortSignal): Promise<void>;
  close(): void;
}

interface TcpOptions {
  readonly responder: Responder;
  readonly clock: Clock;
  readonly maxConnections: number;
  /** A client that completes no query for this long is sent away; see {@link patienceMs} for those that we let wait. */
  readonly idleMs: number;
}

/** Other servers have this long, beyond all their time-outs; after that nothing is owed any more. */
const patienceMs = 30_000;

/**
 * DNS over TCP (RFC 7766). Of too many connections the oldest that is idle makes room for the new one, and when none is,
 * the new one is closed (section 6.2.3 leaves that to us).
 */
export function createTcp({ responder, clock, maxConnections, idleMs }: TcpOptions): Tcp {
  const connections = new Set<Connection>();
  const servers = new Set<Server>();

  const oldestIdle = () =>
    [...connections]
      .filter((one) => one.isIdle())
      .reduce<Connection | undefined>((a, b) => (a && a.heardAt() <= b.heardAt() ? a : b), undefined);

  function accept(socket: Socket): void {
    if (connections.size >= maxConnections) {
      const oldest = oldestIdle();
      if (oldest === undefined) return void socket.destroy();
      connections.delete(oldest);
      oldest.close();
    }
    const connection = createConnection(socket, responder, () => clock.monotonic());
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  }

  async function sweep(): Promise<void> {
    const now = clock.monotonic();
    for (const connection of connections) {
      const allowedMs = connection.pending() > 0 ? Math.max(idleMs, patienceMs) : idleMs;
      if (now - connection.heardAt() > allowedMs) connection.close();
    }
  }

  return {
    async listen(place) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
      const { host, port } = place.endpoint;
      try {
        server.listen(place.fd === undefined ? { host, port, ipv6Only: true, exclusive: true } : { fd: place.fd });
        await once(server, 'listening');
      } catch (error) {
        throw listenFault('tcp', place.endpoint, (error as NodeJS.ErrnoException).code ?? 'an unknown error', error);
      }
      // Such as too many open files: this connection is lost, the next one may not be.
      server.on('error', () => {});
      servers.add(server);
      const address = server.address();
      return {
        endpoint: { host, port: typeof address === 'object' ? (address?.port ?? port) : port },
        close() {
          servers.delete(server);
          server.close();
        },
      };
    },
    connections: () => connections.size,
    run: (signal) => every({ intervalMs: Math.min(1000, idleMs / 4), clock }, sweep, signal),
    close() {
      for (const server of servers) server.close();
      servers.clear();
      for (const connection of connections) connection.close();
    },
  };
}
