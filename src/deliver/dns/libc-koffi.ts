import type { Libc } from './libc.ts';

/**
 * The C library by the package koffi.
 *
 * A watch that is still open when its worker thread is ended from outside is closed after the thread has let go of
 * koffi; the process would crash if that was the last one. So the main thread loads koffi before any such worker starts.
 *
 * @throws Error when koffi is not installed or has nothing for this machine.
 */
export async function loadKoffi(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const call = <T>(definition: string) => library.func(definition) as unknown as T;
  type Messages = (fd: number, messages: bigint, count: number, flags: number, timeout: null) => number;
  const bind = call<(fd: number, address: Uint8Array, length: number) => number>('int bind(int, void *, uint32_t)');
  const option = call<(fd: number, level: number, name: number, value: Uint8Array, length: number) => number>(
    'int setsockopt(int, int, int, void *, uint32_t)',
  );
  // Plain numbers in place of pointers: passing them costs half of what koffi's pointers do.
  const recvmmsg = call<Messages>('int recvmmsg(int, uint64_t, uint32_t, int, void *)');
  return {
    name: 'koffi',
    socket: call('int socket(int, int, int)'),
    bind: (fd, address) => bind(fd, address, address.length),
    getsockname: call('int getsockname(int, void *, void *)'),
    setsockopt: (fd, level, name, value) => option(fd, level, name, value, value.length),
    fcntl: call('int fcntl(int, int, long)'),
    recvmmsg: (fd, messages, count, flags) => recvmmsg(fd, messages, count, flags, null),
    sendmmsg: call('int sendmmsg(int, uint64_t, uint32_t, int)'),
    close: call('int close(int)'),
    errno: () => koffi.errno(),
    addressOf: (memory) => koffi.address(memory),
    watch(fd, wake) {
      let poll = koffi.node.poll(fd, look);
      // An error on the socket ends the watch (libuv's uv_poll): reading takes the error away, then it is watched anew.
      function look(status: unknown): void {
        wake();
        if (typeof status !== 'number' || status >= 0) return;
        poll.close();
        poll = koffi.node.poll(fd, look);
      }
      return { close: () => poll.close() };
    },
  };
}
