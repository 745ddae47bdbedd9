import { type LookupAddress, lookup as lookupAddresses } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Answered = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;

/**
 * Looks names up as the system does, /etc/hosts included. Questions for a name that is being looked up share its answer:
 * a look-up occupies one of Node's few threads until the resolver gives up, and no abort frees it.
 */
export function createLookup(): LookupFunction {
  const waiting = new Map<string, Answered[]>();

  const ask = (name: string, answered: Answered) => {
    const others = waiting.get(name);
    if (others !== undefined) return void others.push(answered);
    waiting.set(name, [answered]);
    lookupAddresses(name, { all: true }, (error, addresses) => {
      const all = waiting.get(name) ?? [];
      waiting.delete(name);
      for (const one of all) one(error, addresses);
    });
  };
  return (name, options, callback) => {
    ask(name, (error, addresses) => {
      if (error !== null) callback(error, '');
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}
