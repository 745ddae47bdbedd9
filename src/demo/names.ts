import { Resolver } from 'node:dns/promises';
import type { Endpoint } from './settings.ts';

/** A target as SRV tells it. */
export interface NamedServer {
  /** The slot in whose name it is: 3 for `slot-3.web.demo.test`. */
  readonly index: number;
  readonly port: number;
  readonly weight: number;
}

/** What DNS says of the service: by A records, and by SRV records. Both sorted, since answers take turns. */
export interface NamesState {
  readonly addresses: readonly string[];
  readonly servers: readonly NamedServer[];
}

const timeoutMs = 1000;
const tries = 2;

/** The records; none where DNS says so. No answer at all is no "none". */
async function recordsOf<T>(asking: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await asking;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error;
  }
}

/**
 * Asks over the network as any client does, A and SRV of `name`.
 *
 * @throws The error of node:dns when no answer comes; the signal's reason once it is aborted.
 */
export async function readNames(at: Endpoint, name: string, signal: AbortSignal): Promise<NamesState> {
  signal.throwIfAborted();
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  resolver.setServers([`${at.host}:${at.port}`]);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const [addresses, services] = await Promise.all([
      recordsOf(resolver.resolve4(name)),
      recordsOf(resolver.resolveSrv(name)),
    ]);
    const servers = services.map(({ name: target, port, weight }) => {
      return { index: Number(/^slot-(\d+)\./.exec(target)?.[1]), port, weight };
    });
    return {
      addresses: [...addresses].sort((one, other) => one.localeCompare(other, 'en', { numeric: true })),
      servers: servers.sort((one, other) => one.index - other.index),
    };
  } finally {
    signal.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}

/** `127.77.0.1 .2 .3`: what an address shares with the one before it is not said again. */
export function shortAddresses(addresses: readonly string[]): string {
  const networkOf = (address: string | undefined) => address?.slice(0, address.lastIndexOf('.'));
  return addresses
    .map((address, n) => {
      const network = networkOf(address) ?? '';
      return networkOf(addresses[n - 1]) === network ? address.slice(network.length) : address;
    })
    .join(' ');
}
