import { readFileSync, readlinkSync } from 'node:fs';
import { HsdoError } from '../../../model/error.ts';
import type { Place } from './place.ts';

/** A socket that the service manager opened for us. */
export interface InheritedSocket extends Place {
  readonly fd: number;
  readonly kind: 'udp' | 'tcp';
}

/** sd_listen_fds(3): the first one; the others follow. */
const firstFd = 3;

const tables = [
  { kind: 'udp', file: 'udp' },
  { kind: 'udp', file: 'udp6' },
  { kind: 'tcp', file: 'tcp' },
  { kind: 'tcp', file: 'tcp6' },
] as const;

/** Place of the local address and of the inode in a line of /proc/net/udp and its like (proc(5)). */
const column = { local: 1, inode: 9 } as const;

/** `0100007F` and 32 digits alike: words of four bytes, each as a number of this machine with low bytes first. */
function readHost(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const groups = Array.from({ length: 8 }, (_, n) => `${bytes[2 * n] ?? ''}${bytes[2 * n + 1] ?? ''}`);
  // As URLs write it, which is the usual short form.
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

function find(inode: string): Pick<InheritedSocket, 'kind' | 'endpoint'> | undefined {
  for (const { kind, file } of tables) {
    for (const line of readFileSync(`/proc/self/net/${file}`, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[column.inode] !== inode) continue;
      const [host = '', port = ''] = (fields[column.local] ?? '').split(':');
      return { kind, endpoint: { host: readHost(host), port: Number.parseInt(port, 16) } };
    }
  }
  return undefined;
}

function describeSocket(fd: number): InheritedSocket {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    const found = inode === undefined ? undefined : find(inode);
    if (found !== undefined) return { fd, ...found };
  } catch (error) {
    throw new HsdoError('config', `Cannot look at the inherited descriptor ${fd}`, { cause: error });
  }
  const wanted = 'expected sockets of ListenDatagram= and ListenStream= with addresses';
  throw new HsdoError('config', `Cannot answer DNS on the inherited descriptor ${fd}: no UDP or TCP socket, ${wanted}`);
}

/**
 * The sockets that systemd opened before it started us, by its rules (sd_listen_fds(3), systemd.socket(5)): LISTEN_PID is
 * this process, LISTEN_FDS how many there are, from 3 on. Which are UDP and which are TCP is seen from the sockets
 * themselves (/proc/self/net), so names in LISTEN_FDNAMES do not matter. Empty when there are none.
 *
 * @throws HsdoError `config` when one of them is neither.
 */
export function inheritedSockets(environment: NodeJS.ProcessEnv): readonly InheritedSocket[] {
  if (environment['LISTEN_PID'] !== String(process.pid)) return [];
  const count = Number(environment['LISTEN_FDS'] ?? '0');
  if (!Number.isInteger(count) || count < 0) return [];
  return Array.from({ length: count }, (_, n) => describeSocket(firstFd + n));
}
