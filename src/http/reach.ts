import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/**
 * Connects to where a URL leads, by TLS for https, and closes the connection again: nothing is asked there.
 *
 * @throws as {@link opened}
 */
export async function reach(url: string, signal: AbortSignal): Promise<void> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isSecure = protocol === 'https:';
  const place = { host, port: Number(port) || (isSecure ? 443 : 80) };
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = isSecure ? connectTls({ ...place, ...name, ALPNProtocols: ['http/1.1'] }) : connect(place);
  await opened(socket, isSecure ? 'secureConnect' : 'connect', signal);
  // What follows an end that nobody waits for is nobody's concern.
  socket.on('error', () => {});
  socket.destroy();
}

/**
 * Waits until a socket is connected.
 *
 * @throws what the connection fails with, of several addresses the first one's reason; the signal's reason when it is aborted
 */
export async function opened<T extends Socket>(
  socket: T,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<T> {
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    signal.throwIfAborted();
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}
