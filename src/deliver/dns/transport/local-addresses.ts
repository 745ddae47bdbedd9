import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** True for 0.0.0.0 and ::, which stand for all addresses of this machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host);
}

/**
 * The addresses of this machine that a wildcard of the same version stands for. Those that are valid on one link only
 * (fe80::/10) are left out: nobody can be told to ask there without the name of the link.
 */
export function localAddresses(wildcard: string): readonly string[] {
  const family = isIPv6(wildcard) ? 'IPv6' : 'IPv4';
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [...new Set(all.filter((one) => one.family === family && !one.scopeid).map(({ address }) => address))];
}
