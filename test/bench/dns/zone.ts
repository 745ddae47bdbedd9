import type { Asked } from './load-order.ts';

/** What the servers are asked for: names right below one domain, with the addresses of each. */
export interface BenchZone {
  readonly domain: string;
  readonly names: readonly Asked[];
}

/** Names of one length, `h00042.bench.example`, with their addresses, 10.0.x.y: no address stands at two names. */
export function zoneOf(nameCount: number, addressCount: number): BenchZone {
  const domain = 'bench.example';
  const names = Array.from({ length: nameCount }, (_, number) => ({
    name: `h${String(number).padStart(5, '0')}.${domain}`,
    addresses: Array.from({ length: addressCount }, (_, position) => {
      const place = 1 + number * addressCount + position;
      return `10.0.${place >> 8}.${place & 0xff}`;
    }),
  }));
  return { domain, names };
}

/** The same as a zone file (RFC 1035 section 5). */
export function zoneFile({ domain, names }: BenchZone, address: (asked: Asked) => readonly string[] = records): string {
  return [
    '$TTL 60',
    `@ SOA ns.${domain}. hostmaster.${domain}. 1 7200 1800 259200 60`,
    `@ NS ns.${domain}.`,
    'ns A 127.0.0.1',
    ...names.flatMap((asked) => address(asked).map((record) => `${firstLabel(asked)} ${record}`)),
    '',
  ].join('\n');
}

export function firstLabel({ name }: Asked): string {
  return name.slice(0, name.indexOf('.'));
}

function records({ addresses }: Asked): string[] {
  return addresses.map((address) => `A ${address}`);
}
