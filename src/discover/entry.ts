import { isIP } from 'node:net';
import { showValue } from './show.ts';
import type { Sighting } from './source.ts';

const keys = ['id', 'name', 'address', 'port', 'group', 'zone', 'weight', 'priority'];

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * One target as a person writes it in a list: `address`, `address:port`, `[IPv6]:port`, or a map. Whatever is in it
 * goes on unjudged, so that a bad entry costs itself alone; only a key that means nothing is a fault at once, lest a
 * slip of the fingers drop a weight in silence. The id defaults to the name, the name to the endpoint.
 *
 * @param group - Group of an entry that names none.
 */
export function readEntry(entry: unknown, group: string): Sighting {
  if (typeof entry === 'string') {
    const { address, port } = splitEndpoint(entry);
    return complete({ address, port }, group);
  }
  if (!isRecord(entry)) {
    const fault = `the entry is ${showValue(entry)}, expected an address, address:port or a map with an address`;
    return { id: undefined, name: undefined, address: undefined, group, fault };
  }
  const unknown = Object.keys(entry).find((key) => !keys.includes(key));
  if (unknown === undefined) return complete(entry, group);
  return {
    ...complete(entry, group),
    fault: `${showValue(unknown)} is no key of an entry, expected ${keys.join(', ')}`,
  };
}

function complete(entry: Readonly<Record<string, unknown>>, group: string): Sighting {
  const { address, port } = entry;
  const name = entry['name'] ?? entry['id'] ?? endpointName(address, port);
  return {
    id: entry['id'] ?? name,
    name,
    address,
    port,
    group: entry['group'] ?? group,
    zone: entry['zone'],
    weight: entry['weight'],
    priority: entry['priority'],
  };
}

/** Names an endpoint in letters that an id may have: no brackets, and no colon that an IPv6 address could own. */
function endpointName(address: unknown, port: unknown): unknown {
  if (typeof address !== 'string' || typeof port !== 'number') return address;
  return isIP(address) === 6 ? `${address}/${port}` : `${address}:${port}`;
}

/** Splits `address:port`; what has no such form is left whole for `accept.ts` to refuse. */
export function splitEndpoint(text: string): { readonly address: string; readonly port?: number } {
  const match = /^\[([^[\]]*)\](?::(\d{1,6}))?$/.exec(text) ?? /^([^:[\]]*):(\d{1,6})$/.exec(text);
  if (match === null) return { address: text };
  const [, address = '', port] = match;
  return port === undefined ? { address } : { address, port: Number(port) };
}
