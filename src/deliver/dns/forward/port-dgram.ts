import { createSocket } from 'node:dgram';
import { isIPv6, SocketAddress } from 'node:net';
import { type OpenPort, portBufferBytes } from './port-socket.ts';

/** Opens a port through Node, packet by packet; on every platform. */
export const openDgramPort: OpenPort = (to, ears) => {
  const family = isIPv6(to.host) ? 6 : 4;
  // As the system spells it.
  const { address } = new SocketAddress({ address: to.host, family: `ipv${family}` });
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: portBufferBytes,
    // Addresses only: there is nothing to look up, and so everything is open at once.
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  let isOpen = true;
  const onError = (error: NodeJS.ErrnoException | null) => {
    if (error !== null && isOpen) ears.onError(error.code ?? 'an unknown error');
  };
  // Some are told before `connect` returns, such as that no more can be opened.
  socket.on('error', (error) => queueMicrotask(() => onError(error)));
  socket.on('message', (bytes, from) => {
    // What came in between opening and connecting could be from anybody.
    if (isOpen && from.port === to.port && from.address === address) ears.onPacket(bytes);
    else if (isOpen) ears.onPacket(empty);
  });
  socket.connect(to.port, to.host);
  return {
    send(packet) {
      try {
        socket.send(packet, onError);
      } catch (error) {
        queueMicrotask(() => onError(error as NodeJS.ErrnoException));
      }
    },
    drain() {},
    close() {
      isOpen = false;
      socket.close();
    },
  };
};

const empty = new Uint8Array(0);
