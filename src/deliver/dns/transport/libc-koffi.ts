import type { Libc } from './libc.ts';

/**
 * The C library by the package koffi. Its own way to watch a socket (`koffi.node.poll`) is not used: it calls us outside
 * of Node's scopes for callbacks, and a thread that is ended from outside, as by process.exit, takes the process with it.
 *
 * @throws Error when koffi is not installed or has nothing for this machine.
 */
export async function loadKoffi(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const call = <T>(definition: string) => library.func(definition) as unknown as T;
  type Messages = (fd: number, messages: bigint, count: number, flags: number, timeout: null) => number;
  type Address = (fd: number, address: Uint8Array, length: number) => number;
  const bind = call<Address>('int bind(int, void *, uint32_t)');
  const connect = call<Address>('int connect(int, void *, uint32_t)');
  const option = call<(fd: number, level: number, name: number, value: Uint8Array, length: number) => number>(
    'int setsockopt(int, int, int, void *, uint32_t)',
  );
  // Plain numbers in place of pointers: passing them costs half of what koffi's pointers do.
  const recvmmsg = call<Messages>('int recvmmsg(int, uint64_t, uint32_t, int, void *)');
  return {
    name: 'koffi',
    socket: call('int socket(int, int, int)'),
    bind: (fd, address) => bind(fd, address, address.length),
    connect: (fd, address) => connect(fd, address, address.length),
    getsockname: call('int getsockname(int, void *, void *)'),
    setsockopt: (fd, level, name, value) => option(fd, level, name, value, value.length),
    fcntl: call('int fcntl(int, int, long)'),
    recvmmsg: (fd, messages, count, flags) => recvmmsg(fd, messages, count, flags, null),
    sendmmsg: call('int sendmmsg(int, uint64_t, uint32_t, int)'),
    close: call('int close(int)'),
    errno: () => koffi.errno(),
    addressOf: (memory) => koffi.address(memory),
  };
}
