import { isIPv6 } from 'node:net';
import { HsdoError } from '../../../model/error.ts';
import type { Endpoint } from '../config.ts';

/** Where to listen. With `fd` the socket is there already, bound to the address. */
export interface Place {
  readonly endpoint: Endpoint;
  readonly fd?: number;
}

/** `127.0.0.1:53` and `[::1]:53`. */
export function endpointText({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

const advice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this address; stop it, or set another address or port in dns.listen',
  EACCES:
    'ports below 1024 need CAP_NET_BIND_SERVICE: use hsdo-dns.socket or AmbientCapabilities= of systemd, ' +
    'or `setcap cap_net_bind_service=+ep` on the node program, or set another port in dns.listen',
  EADDRNOTAVAIL: 'this machine has no such address; set one of its own in dns.listen',
  EAFNOSUPPORT: 'this machine does not speak this version of IP; take the address out of dns.listen',
};

/** True when this machine does not have the address, or not yet (an IPv6 one that is being looked for on the link). */
export function isAbsent(error: unknown): boolean {
  const cause = error instanceof HsdoError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code === 'EADDRNOTAVAIL';
}

/** The error for an address that cannot be had, by the code of the system such as `EADDRINUSE`, with what to do. */
export function listenFault(transport: 'udp' | 'tcp', endpoint: Endpoint, code: string, cause?: unknown): HsdoError {
  const why = advice[code];
  const text = `Cannot answer DNS on ${transport} "${endpointText(endpoint)}": ${code}`;
  return new HsdoError('config', why === undefined ? text : `${text}, ${why}`, cause === undefined ? {} : { cause });
}
