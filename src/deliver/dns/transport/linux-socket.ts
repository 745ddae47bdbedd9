import { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Endpoint } from '../config.ts';
import type { Libc } from './libc.ts';
import { listenFault } from './place.ts';

/** Numbers of Linux, the same on x64, arm64, riscv64 and loong64 (asm-generic); other systems never get here. */
export const linux = {
  inet: 2,
  inet6: 10,
  datagram: 2,
  nonBlock: 0o4000,
  closeOnExec: 0o2000000,
  solSocket: 1,
  sendBuffer: 7,
  receiveBuffer: 8,
  sendBufferForce: 32,
  receiveBufferForce: 33,
  ip: 0,
  ipMtuDiscover: 10,
  ipv6: 41,
  ipv6MtuDiscover: 23,
  ipv6Only: 26,
  mtuProbe: 3,
  dontWait: 0x40,
  fSetFd: 2,
  fDuplicateCloseOnExec: 1030,
  descriptorCloseOnExec: 1,
  interrupted: 4,
  wouldBlock: 11,
} as const;

/** Bytes of `struct sockaddr_in` and `struct sockaddr_in6` (ip(7), ipv6(7)). */
export const socketAddressBytes = { four: 16, six: 28 } as const;

/** What the kernel may hold for us while we are at something else; it gives less where its limits are lower. */
const socketBufferBytes = 4 * 1024 * 1024;

/** An open UDP socket by its number, not yet read from by anybody. */
export interface UdpSocket {
  readonly fd: number;
  readonly endpoint: Endpoint;
}

/** `struct sockaddr_in` or `struct sockaddr_in6` of an endpoint, whose address `bytesOf` reads. */
export function writeSocketAddress({ host, port }: Endpoint, bytesOf: (host: string) => Uint8Array): Uint8Array {
  const isSix = isIPv6(host);
  const bytes = new Uint8Array(isSix ? socketAddressBytes.six : socketAddressBytes.four);
  new Uint16Array(bytes.buffer)[0] = isSix ? linux.inet6 : linux.inet;
  bytes[2] = port >> 8;
  bytes[3] = port & 0xff;
  bytes.set(bytesOf(host), isSix ? 8 : 4);
  return bytes;
}

function setNumber(libc: Libc, fd: number, level: number, option: number, value: number): boolean {
  return libc.setsockopt(fd, level, option, new Uint8Array(Int32Array.of(value).buffer)) === 0;
}

/** Asks for buffers of so many bytes in both directions; a kernel gives what it allows. */
export function setBufferBytes(libc: Libc, fd: number, wanted: number): void {
  const { solSocket, receiveBufferForce, receiveBuffer, sendBufferForce, sendBuffer } = linux;
  const grow = (force: number, usual: number) =>
    setNumber(libc, fd, solSocket, force, wanted) || setNumber(libc, fd, solSocket, usual, wanted);
  grow(receiveBufferForce, receiveBuffer);
  grow(sendBufferForce, sendBuffer);
}

/**
 * Gives the socket large buffers, and has replies sent so that nobody on the way cuts them (RFC 9715 section 3.1: a forged
 * second half could be put in the place of the true one); for inherited ones as well. What a kernel refuses is done without.
 */
export function prepareUdpSocket(libc: Libc, fd: number): void {
  setBufferBytes(libc, fd, socketBufferBytes);
  // `probe` looks at no path MTU that somebody reports, which could be forged as well: replies are short enough (ip(7)).
  setNumber(libc, fd, linux.ip, linux.ipMtuDiscover, linux.mtuProbe);
  setNumber(libc, fd, linux.ipv6, linux.ipv6MtuDiscover, linux.mtuProbe);
}

/** The port that the kernel chose; it stands at the same place in both kinds of address. */
function portOf(libc: Libc, fd: number): number {
  const bytes = new Uint8Array(socketAddressBytes.six);
  libc.getsockname(fd, bytes, new Uint8Array(Uint32Array.of(bytes.length).buffer));
  return ((bytes[2] as number) << 8) | (bytes[3] as number);
}

/**
 * Makes and binds a UDP socket; an IPv6 one never takes IPv4 packets.
 *
 * @throws HsdoError `config` when the address cannot be had, naming it and what to do.
 */
export function openUdpSocket(libc: Libc, endpoint: Endpoint, bytesOf: (host: string) => Uint8Array): UdpSocket {
  const isSix = isIPv6(endpoint.host);
  const failed = () => {
    const code = getSystemErrorName(-libc.errno());
    return listenFault('udp', endpoint, code, Object.assign(new Error(code), { code }));
  };
  const fd = libc.socket(isSix ? linux.inet6 : linux.inet, linux.datagram | linux.nonBlock | linux.closeOnExec, 0);
  if (fd < 0) throw failed();
  if (isSix) setNumber(libc, fd, linux.ipv6, linux.ipv6Only, 1);
  if (libc.bind(fd, writeSocketAddress(endpoint, bytesOf)) < 0) {
    const fault = failed();
    libc.close(fd);
    throw fault;
  }
  const socket = { fd, endpoint: { host: endpoint.host, port: portOf(libc, fd) } };
  prepareUdpSocket(libc, fd);
  return socket;
}
