import type { Endpoint } from '../config.ts';
import { isWildcard } from './local-addresses.ts';
import { isAbsent, type Place } from './place.ts';
import type { UdpListener } from './udp-listener.ts';

/** All UDP sockets of one place to listen on. */
export interface UdpGroup {
  /** With the port that was really taken. */
  readonly endpoint: Endpoint;
  listeners(): readonly UdpListener[];
  /** Follows the addresses of this machine; true when there was a change. */
  follow(): Promise<boolean>;
}

interface GroupOptions {
  readonly open: (place: Place) => Promise<UdpListener>;
  /** Ends a listener that is not wanted any more. */
  readonly drop: (listener: UdpListener) => void;
  readonly localAddresses: (wildcard: string) => readonly string[];
}

/**
 * Opens one socket, or for 0.0.0.0 and :: one on each address of this machine: a reply then comes from the address that
 * was asked (RFC 2181 section 4), whatever the transport. Addresses may come and go, as `follow` sees. This is the way
 * of BIND (`interface-interval`) and of dnsmasq (`--bind-dynamic`).
 *
 * @throws HsdoError `config` when an address cannot be had; then none is left open.
 */
export async function openUdpGroup(place: Place, options: GroupOptions): Promise<UdpGroup> {
  const { open, drop, localAddresses } = options;
  const { host } = place.endpoint;
  if (place.fd !== undefined || !isWildcard(host)) {
    const listener = await open(place);
    return { endpoint: listener.endpoint, listeners: () => [listener], follow: async () => false };
  }
  const listeners = new Map<string, UdpListener>();
  let { port } = place.endpoint;

  /** Opens what is missing; gives what did not succeed. */
  async function add(): Promise<Error[]> {
    const faults: Error[] = [];
    for (const address of localAddresses(host)) {
      if (listeners.has(address)) continue;
      try {
        const listener = await open({ endpoint: { host: address, port } });
        port = listener.endpoint.port;
        listeners.set(address, listener);
      } catch (error) {
        faults.push(error instanceof Error ? error : new Error('no socket', { cause: error }));
      }
    }
    return faults;
  }

  const fault = (await add()).find((error) => !isAbsent(error));
  if (fault !== undefined) {
    for (const listener of listeners.values()) drop(listener);
    throw fault;
  }
  return {
    endpoint: { host, port },
    listeners: () => [...listeners.values()],
    async follow() {
      const before = [...listeners.keys()].join();
      const present = new Set(localAddresses(host));
      for (const [address, listener] of listeners) {
        if (present.has(address)) continue;
        listeners.delete(address);
        drop(listener);
      }
      // What cannot be opened now is tried again the next time.
      await add();
      return [...listeners.keys()].join() !== before;
    },
  };
}
