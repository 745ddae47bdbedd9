import { libc, type Memory, nobodyThere, nothingToRead, takeMemory } from './libc.ts';

/** Packets that one system call moves at most. */
export const laneBatch = 64;
/** Room for one packet that is read, in bytes. */
export const packetRoom = 2048;

/** A UDP socket that talks to one server, many packets with one system call. */
export interface Lane {
  readonly fd: number;
  /** Packets to send, one after the other without a gap, all of the size that the lane was opened with. */
  readonly outgoing: Memory;
  /** Sends the first packets, at most {@link laneBatch}. */
  send(count: number): void;
  /** Packets that were read: number n at n * packetRoom. */
  readonly incoming: Memory;
  lengthOf(position: number): number;
  /** Reads what is there, at most {@link laneBatch} packets, without waiting; gives how many. */
  receive(): number;
  close(): void;
}

// struct mmsghdr and struct iovec of 64-bit Linux.
const [headerSize, vectorSize] = [64, 16];
const [vectorField, vectorCountField, lengthField] = [16, 24, 56];
const dontWait = 0x40;

/** Headers, each with a vector that points to its packet. */
function headersFor(packets: Memory): Memory {
  const memory = takeMemory(laneBatch * (headerSize + vectorSize));
  for (let position = 0; position < laneBatch; position += 1) {
    const vector = laneBatch * headerSize + position * vectorSize;
    memory.addresses[(position * headerSize + vectorField) / 8] = memory.at + BigInt(vector);
    memory.addresses[(position * headerSize + vectorCountField) / 8] = 1n;
    memory.addresses[vector / 8] = packets.at + BigInt(position * packetRoom);
    memory.addresses[vector / 8 + 1] = BigInt(packetRoom);
  }
  return memory;
}

function demand(result: number, action: string): number {
  if (result < 0) throw new Error(`Cannot ${action}: errno ${libc.errno()}`);
  return result;
}

function connected(host: string, port: number, packetSize: number): number {
  const fd = demand(libc.socket(2, 2, 0), 'open a UDP socket');
  const scratch = takeMemory(64);
  scratch.words[8] = 4 * 1024 * 1024;
  // SOL_SOCKET: SO_SNDBUF and SO_RCVBUF.
  for (const name of [7, 8])
    demand(libc.setsockopt(fd, 1, name, scratch.at + 32n, 4), 'enlarge the buffers of a UDP socket');
  scratch.words[8] = packetSize;
  // SOL_UDP, UDP_SEGMENT (udp(7)): the kernel cuts what is sent into packets, after one way through its upper layers.
  demand(libc.setsockopt(fd, 17, 103, scratch.at + 32n, 4), 'have a UDP socket cut packets (Linux 4.18 or newer)');
  scratch.bytes.set([2, 0, port >> 8, port & 0xff, ...host.split('.').map(Number)]);
  demand(libc.connect(fd, scratch.at, 16), `connect a UDP socket to ${host}:${port}`);
  return fd;
}

/**
 * Opens a socket to a server at an IPv4 address. Nobody there is no error: the packets are lost.
 *
 * @throws Error naming the call and errno
 */
export function openLane(host: string, port: number, packetSize: number): Lane {
  const fd = connected(host, port, packetSize);
  const [outgoing, incoming] = [takeMemory(laneBatch * packetSize), takeMemory(laneBatch * packetRoom)];
  const toRead = headersFor(incoming);
  const failed = (action: string, ...expected: readonly number[]) => {
    if (!expected.includes(libc.errno())) demand(-1, action);
  };
  return {
    fd,
    outgoing,
    incoming,
    send(count) {
      while (libc.send(fd, outgoing.at, count * packetSize, 0) < 0) failed('send', nobodyThere);
    },
    lengthOf: (position) => toRead.words[(position * headerSize + lengthField) / 4] ?? 0,
    receive() {
      const count = libc.recvmmsg(fd, toRead.at, laneBatch, dontWait, null);
      if (count >= 0) return count;
      failed('receive', nothingToRead, nobodyThere);
      return 0;
    },
    close: () => void libc.close(fd),
  };
}
