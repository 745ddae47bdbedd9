import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { createScreen } from './screen.ts';

/**
 * Runs `connect`, which opens one plain TCP connection before it returns, and puts a screen in front of whoever reads
 * from it. The library has no option for that and does not show its socket, hence the way over Node's own announcement of
 * new sockets, `net.client.socket`. A test fails should a later Node or library go another way; then nothing is
 * screened. A connection with TLS is not screened: there only who holds the expected certificate can send anything.
 *
 * @param onFault - Told once what came that cannot be an answer; the connection is closed then.
 */
export function screened<T>(connect: () => T, onFault: (fault: string) => void): T {
  const announcements = channel('net.client.socket');
  const watch = (message: unknown) => putScreen((message as { readonly socket: Socket }).socket, onFault);
  announcements.subscribe(watch);
  try {
    return connect();
  } finally {
    announcements.unsubscribe(watch);
  }
}

function putScreen(socket: Socket, onFault: (fault: string) => void): void {
  const screen = createScreen();
  let isClosed = false;
  // It listens before the library does and so sees every chunk first.
  socket.on('data', (chunk) => {
    const fault = screen.look(chunk);
    if (fault === undefined) return;
    // The library gets this chunk all the same: zeros are no length of anything.
    chunk.fill(0);
    if (isClosed) return;
    isClosed = true;
    socket.destroy();
    onFault(fault);
  });
}
