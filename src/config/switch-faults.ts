import { switchedPlace } from '../deliver/switch/switchers.ts';
import type { Path } from './document.ts';
import { showValue } from './fault.ts';
import type { Config } from './schema.ts';

type Say = (path: Path, expected: string, value?: string) => void;

/** What is wrong between a service's `switch` and the rest of it, and between the services that switch something. */
export function switchFaults({ services }: Config, say: Say): void {
  const owners = new Map<string, string>();
  services.forEach((service, n) => {
    const { name, switch: switcher, select, domain } = service;
    if (switcher === undefined) return;
    const path: Path = ['services', n, 'switch'];
    if (select.kind !== 'active-passive') {
      const expected = 'expected active-passive, since `switch` points at one target';
      say(['services', n, 'select'], expected, showValue('select', select.kind));
    }
    if (switcher.kind === 'cloudflare') {
      const [record, from] = switcher.record === undefined ? [domain, 'domain'] : [switcher.record, 'record'];
      if (record === undefined) say([...path, 'record'], 'missing: expected it, or the domain of the service');
      else if (!isIn(record, switcher.zone)) {
        const place: Path = from === 'domain' ? ['services', n, 'domain'] : [...path, 'record'];
        say(place, `expected a name in the zone ${switcher.zone}`, showValue(from, record));
      }
    }
    const switched = switchedPlace(switcher, domain);
    const owner = switched === undefined ? undefined : owners.get(switched);
    if (owner !== undefined) say(path, `expected what no other service switches; service "${owner}" has ${switched}`);
    else if (switched !== undefined) owners.set(switched, name);
  });
}

function isIn(name: string, zone: string): boolean {
  const [inner, outer] = [name.toLowerCase(), zone.toLowerCase()];
  return inner === outer || inner.endsWith(`.${outer}`);
}
