import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { Libc } from '../deliver/dns/transport/libc.ts';
import { loadLibc } from '../deliver/dns/transport/load-libc.ts';
import { HsdoError } from '../model/error.ts';
import { withDeadline } from '../time/deadline.ts';

/** The way to the service manager: assignments such as `READY=1`, all of one call in one message (sd_notify(3)). */
export interface NotifySocket {
  /** @throws HsdoError `unavailable` when the message was not taken; the next one may be. */
  tell(assignments: readonly string[]): Promise<void>;
  close(): void;
}

/** <sys/socket.h> of Linux. */
const unix = 1;
const datagramOnce = 0o2 | 0o2000000 | 0o4000;
const longestPath = 107;
const programDeadlineMs = 8000;

/** struct sockaddr_un: family, then a path that ends with a zero, or an abstract name that begins with one (unix(7)). */
function addressOf(name: string): Uint8Array {
  const isAbstract = name.startsWith('@');
  const path = Buffer.from(isAbstract ? `\0${name.slice(1)}` : `${name}\0`);
  return Buffer.concat([Buffer.from([unix, 0]), path]);
}

/**
 * Opens `name`, the value of NOTIFY_SOCKET. Node.js has no datagram sockets of this family, so they come from the C library;
 * where that cannot be called, each message is sent by systemd's own systemd-notify, as which it takes a process.
 *
 * @throws HsdoError `config` for an address that no socket has, `unavailable` when nobody listens there.
 */
export async function openNotifySocket(name: string): Promise<NotifySocket> {
  const isLocal = name.startsWith('/') || name.startsWith('@');
  if (isLocal && Buffer.byteLength(name) > longestPath)
    throw new HsdoError('config', `Cannot tell systemd anything at "${name}", expected at most ${longestPath} bytes`);
  const libc = await loadLibc();
  // Of virtual machines systemd knows a third family, which only its own program speaks.
  return typeof libc === 'string' || !isLocal ? byProgram(name) : bySocket(name, libc);
}

function bySocket(name: string, libc: Libc): NotifySocket {
  const fd = libc.socket(unix, datagramOnce, 0);
  if (fd < 0 || libc.connect(fd, addressOf(name)) < 0) {
    const reason = `error ${libc.errno()} of the system`;
    if (fd >= 0) libc.close(fd);
    throw new HsdoError('unavailable', `Cannot reach systemd at NOTIFY_SOCKET "${name}": ${reason}`);
  }
  return {
    async tell(assignments) {
      try {
        // A datagram socket takes each write as one message, and never waits, as it was opened so.
        writeSync(fd, assignments.join('\n'));
      } catch (error) {
        throw new HsdoError('unavailable', `Cannot tell systemd at "${name}"`, { cause: error });
      }
    },
    close: () => void libc.close(fd),
  };
}

/**
 * systemd looks up who sent a message by the process, so that one must live until it was read: that is why the program is
 * not called with --no-block.
 */
export function byProgram(name: string): NotifySocket {
  const call = (assignments: readonly string[], signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const child = spawn('systemd-notify', [...assignments], {
        env: { ...process.env, NOTIFY_SOCKET: name },
        stdio: 'ignore',
        signal,
      });
      child.once('error', reject);
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit code ${String(code)}`))));
    });
  return {
    async tell(assignments) {
      const { signal } = new AbortController();
      try {
        await withDeadline('systemd-notify', programDeadlineMs, signal, (inner) => call(assignments, inner));
      } catch (error) {
        throw new HsdoError('unavailable', `Cannot tell systemd at "${name}" by systemd-notify`, { cause: error });
      }
    },
    close() {},
  };
}
