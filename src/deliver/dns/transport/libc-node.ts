import type { Libc } from './libc.ts';

/** What is used of `node:ffi`, which the types of Node 20 do not know. */
interface NodeFfi {
  dlopen(
    path: null,
    definitions: Record<string, { readonly arguments: readonly string[]; readonly return: string }>,
  ): { readonly functions: Record<string, (...values: readonly unknown[]) => unknown> };
  getRawPointer(memory: Uint8Array): bigint;
  getInt32(pointer: bigint, offset: number): number;
}

const pointer = 'pointer';
const definitions = {
  socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  bind: { arguments: ['int32', pointer, 'uint32'], return: 'int32' },
  connect: { arguments: ['int32', pointer, 'uint32'], return: 'int32' },
  getsockname: { arguments: ['int32', pointer, pointer], return: 'int32' },
  setsockopt: { arguments: ['int32', 'int32', 'int32', pointer, 'uint32'], return: 'int32' },
  // The third parameter of fcntl(2) is variadic; on the architectures that we serve Linux passes it as any other.
  fcntl: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  recvmmsg: { arguments: ['int32', pointer, 'uint32', 'int32', pointer], return: 'int32' },
  sendmmsg: { arguments: ['int32', pointer, 'uint32', 'int32'], return: 'int32' },
  close: { arguments: ['int32'], return: 'int32' },
  __errno_location: { arguments: [], return: pointer },
};

/**
 * The C library by `node:ffi`, built into Node 26 and later; experimental there.
 *
 * @throws Error when this Node has no `node:ffi`.
 */
export async function loadNodeFfi(): Promise<Libc> {
  const specifier = 'node:ffi';
  const ffi = (await import(specifier)) as NodeFfi;
  const { functions } = ffi.dlopen(null, definitions);
  const call = <T>(name: keyof typeof definitions) => functions[name] as unknown as T;
  type Messages = (fd: number, messages: bigint, count: number, flags: number, timeout: bigint) => number;
  type Address = (fd: number, address: Uint8Array, length: number) => number;
  const bind = call<Address>('bind');
  const connect = call<Address>('connect');
  const option =
    call<(fd: number, level: number, name: number, value: Uint8Array, length: number) => number>('setsockopt');
  const recvmmsg = call<Messages>('recvmmsg');
  const errnoAt = call<() => bigint>('__errno_location');
  return {
    name: 'node:ffi',
    socket: call('socket'),
    bind: (fd, address) => bind(fd, address, address.length),
    connect: (fd, address) => connect(fd, address, address.length),
    getsockname: call('getsockname'),
    setsockopt: (fd, level, name, value) => option(fd, level, name, value, value.length),
    fcntl: call('fcntl'),
    recvmmsg: (fd, messages, count, flags) => recvmmsg(fd, messages, count, flags, 0n),
    sendmmsg: call('sendmmsg'),
    close: call('close'),
    errno: () => ffi.getInt32(errnoAt(), 0),
    addressOf: (memory) => ffi.getRawPointer(memory),
  };
}
