import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Endpoint } from '../config.ts';
import { addressBytes } from '../network.ts';
import { batchSize, createBatchMemory, queryAt } from '../transport/batch-memory.ts';
import type { Libc } from '../transport/libc.ts';
import { linux, setBufferBytes, writeSocketAddress } from '../transport/linux-socket.ts';
import { createOutbox, type Sender } from '../transport/outbox.ts';
import { type OpenPort, type PortEars, portBufferBytes } from './port-socket.ts';

interface Port extends Sender {
  /** Negative: the number of the error that came instead. */
  readonly fd: number;
  readonly ears: PortEars;
  isOpen: boolean;
}

/**
 * Opens ports whose packets pass through calls of the C library, many in one. Node has the only number of the socket, so
 * that it closes it when the thread ends, however that ends; it wakes us, for which it has to read the first packet of each
 * burst itself. One memory serves all ports.
 */
export function createBatchPorts(libc: Libc): OpenPort {
  const memory = createBatchMemory(libc.addressOf);
  const outbox = createOutbox(libc);
  memory.expect(batchSize);

  /** Tells what is there, one batch of it at most: should there be more, the event loop wakes us again. */
  function drain(port: Port): void {
    const received = libc.recvmmsg(port.fd, memory.askedAddress, batchSize, linux.dontWait);
    if (received < 0) {
      const errno = libc.errno();
      if (errno !== linux.interrupted && errno !== linux.wouldBlock) port.ears.onError(nameOf(errno));
      return;
    }
    for (let slot = 0; slot < received && port.isOpen; slot += 1) {
      const at = queryAt(slot);
      port.ears.onPacket(memory.bytes.subarray(at, at + memory.received(slot)));
    }
    memory.expect(received);
  }

  /** Packets that came in between opening and connecting could be from anybody. */
  function forgetStrangers(fd: number): void {
    while (libc.recvmmsg(fd, memory.askedAddress, batchSize, linux.dontWait) > 0);
    memory.expect(batchSize);
  }

  return (to, ears) => {
    const fd = openConnected(libc, to);
    const port: Port = { fd, ears, isOpen: true, onUnsent: (errno) => tellLater(port, errno) };
    if (fd < 0) tellLater(port, -fd);
    else forgetStrangers(fd);
    const woken = fd < 0 ? undefined : wokenBy(port, to);
    return {
      send(packet) {
        if (port.isOpen && fd >= 0) outbox.put(port, packet);
      },
      drain() {
        if (port.isOpen && fd >= 0) drain(port);
      },
      close() {
        port.isOpen = false;
        woken?.close();
      },
    };
  };
}

const nameOf = (errno: number) => getSystemErrorName(-errno);

function tellLater(port: Port, errno: number): void {
  queueMicrotask(() => {
    if (port.isOpen) port.ears.onError(nameOf(errno));
  });
}

/** The number of a socket that is connected; one that is negative is that of the error. */
function openConnected(libc: Libc, to: Endpoint): number {
  const kind = linux.datagram | linux.nonBlock | linux.closeOnExec;
  const fd = libc.socket(isIPv6(to.host) ? linux.inet6 : linux.inet, kind, 0);
  if (fd < 0) return -libc.errno();
  setBufferBytes(libc, fd, portBufferBytes);
  if (libc.connect(fd, writeSocketAddress(to, addressBytes)) === 0) return fd;
  const errno = libc.errno();
  libc.close(fd);
  return -errno;
}

/** Node's socket around the number of a port, which from now on belongs to it. */
function wokenBy(port: Port, to: Endpoint): Socket {
  const { fd, ears } = port;
  const socket = createSocket({ type: isIPv6(to.host) ? 'udp6' : 'udp4' });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (port.isOpen) ears.onError(error.code ?? 'an unknown error');
  });
  socket.on('message', (bytes) => {
    if (!port.isOpen) return;
    ears.onPacket(bytes);
    ears.onWoken();
  });
  socket.bind({ fd });
  return socket;
}
