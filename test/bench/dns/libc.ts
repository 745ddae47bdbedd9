import koffi from 'koffi';

/** Memory that the kernel reads and writes: it has an address and stays there. */
export interface Memory {
  readonly bytes: Uint8Array;
  /** Of the same memory. */
  readonly words: Int32Array;
  readonly addresses: BigUint64Array;
  readonly at: bigint;
}

/** Takes memory, all zero. The size is large enough that JavaScript keeps it where it is. */
export function takeMemory(size: number): Memory {
  const buffer = new ArrayBuffer(Math.max(size, 65_536));
  const bytes = new Uint8Array(buffer);
  return { bytes, words: new Int32Array(buffer), addresses: new BigUint64Array(buffer), at: koffi.address(bytes) };
}

const library = koffi.load(null);

/** Calls of the C library, on 64-bit Linux. They give a negative number when they fail. */
export const libc = {
  socket: library.func('int socket(int domain, int type, int protocol)') as (
    domain: number,
    type: number,
    protocol: number,
  ) => number,
  connect: library.func('int connect(int fd, void *address, uint32_t length)') as (
    fd: number,
    address: bigint,
    length: number,
  ) => number,
  setsockopt: library.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)') as (
    fd: number,
    level: number,
    name: number,
    value: bigint,
    length: number,
  ) => number,
  close: library.func('int close(int fd)') as (fd: number) => number,
  poll: library.func('int poll(void *fds, uint64_t count, int timeoutMs)') as (
    fds: bigint,
    count: number,
    timeoutMs: number,
  ) => number,
  send: library.func('int64_t send(int fd, void *bytes, uint64_t length, int flags)') as (
    fd: number,
    bytes: bigint,
    length: number,
    flags: number,
  ) => number,
  recvmmsg: library.func('int recvmmsg(int fd, void *messages, uint32_t count, int flags, void *timeout)') as (
    fd: number,
    messages: bigint,
    count: number,
    flags: number,
    timeout: null,
  ) => number,
  errno: () => koffi.errno(),
};

/** EAGAIN: there is nothing to read. */
export const nothingToRead = 11;
/** ECONNREFUSED: an earlier packet found nobody. */
export const nobodyThere = 111;
