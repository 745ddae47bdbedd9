import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { HsdoError } from '../model/error.ts';
import { printable } from './replies.ts';

/**
 * The address of a master. Sentinels that announce names (`sentinel announce-hostnames yes`) give a name, which the
 * system's resolver turns into an address: of several the first in order, IPv4 before IPv6, so that it is always the
 * same one. A wrong choice does no harm, the Redis there is asked for its role.
 *
 * @throws HsdoError `unavailable` when the name has no address or nobody can tell.
 */
export async function locate(host: string): Promise<string> {
  if (isIP(host) !== 0) return ipaddr.process(host).toString();
  try {
    const found = await lookup(host, { all: true });
    const keys = found.map(({ address, family }) => `${family} ${address}`).sort();
    const [first] = keys;
    if (first === undefined) throw new Error('it has no address');
    return ipaddr.process(first.slice(2)).toString();
  } catch (error) {
    throw new HsdoError('unavailable', `Cannot resolve "${printable(host)}", which the sentinels name`, {
      cause: error,
    });
  }
}
