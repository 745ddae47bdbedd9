/**
 * The few calls of the C library by which a UDP socket is made and many packets pass in one call (socket(2), bind(2),
 * connect(2), getsockname(2), setsockopt(2), fcntl(2), recvmmsg(2), sendmmsg(2), close(2)). Results and numbers are those of C.
 */
export interface Libc {
  readonly name: 'koffi' | 'node:ffi';
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array): number;
  connect(fd: number, address: Uint8Array): number;
  /** `length` is four bytes, in and out. */
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number;
  fcntl(fd: number, command: number, value: number): number;
  /** `messages` is the address of an array of struct mmsghdr. */
  recvmmsg(fd: number, messages: bigint, count: number, flags: number): number;
  sendmmsg(fd: number, messages: bigint, count: number, flags: number): number;
  close(fd: number): number;
  /** Of the call before, when that failed. */
  errno(): number;
  /** Where the first byte lies. Memory of an ArrayBuffer is never moved; it must be kept alive by whoever asks. */
  addressOf(memory: Uint8Array): bigint;
}
