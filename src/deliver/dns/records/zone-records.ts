import type { Chapter, NamedSets, RecordData, RecordSet } from './records.ts';
import { foldName, type NameLayout, type Zone, type ZoneRules } from './zones.ts';

/** TTL of what only a new configuration changes. */
const lastingTtlSeconds = 300;

export interface ZoneRecordsInput {
  readonly dns: ZoneRules;
  readonly layout: NameLayout;
  /** Serial of the zones, such as `serialOf` the newest list. */
  readonly serial: number;
}

/** Serial of a SOA for an instant in wall-clock milliseconds: its seconds, in the 32 bits that there are (RFC 1982). */
export const serialOf = (publishedAt: number): number => Math.floor(publishedAt / 1000) % 2 ** 32;

/**
 * The names that belong to no service: apexes, name servers, aliases, what nobody declared, and names that exist only
 * because there are names below them. Pure. Where two of them claim one name the first one has it; the configuration
 * refuses that.
 */
export function zoneChapter({ dns, layout, serial }: ZoneRecordsInput): Chapter {
  const names = new Map<string, NamedSets>();
  const add = (name: string, sets: readonly RecordSet[], otherTypes: 'nodata' | 'forward' = 'nodata') => {
    const zone = layout.zoneOf(name);
    const folded = foldName(name);
    if (zone === undefined || layout.isOfService(name) || names.has(folded)) return;
    names.set(folded, { name, sets, apex: zone.apex, otherTypes });
  };
  for (const zone of layout.zones) add(zone.apex, zoneSets(zone, serial), dns.otherTypes);
  for (const { name, addresses } of layout.zones.flatMap(({ nameServers }) => nameServers)) {
    add(name, addressSets(addresses, { ttlSeconds: lastingTtlSeconds, order: 'fixed', answers: addresses.length }));
  }
  for (const [alias, target] of Object.entries(dns.aliases)) add(alias, [aliasSet(target, dns.ttlSeconds)]);
  const undeclared = undeclaredSets(dns);
  // A wildcard without records would make every name below the domain exist.
  if (undeclared.length > 0) add(`*.${dns.domain}`, undeclared);
  for (const name of layout.between) add(name, []);
  return { key: 'zones', names: [...names.values()] };
}

/** SOA and NS of a zone (RFC 1035 section 3.3.13). Nobody transfers it, so its timers bind nobody. */
export function zoneSets({ apex, nameServers, negativeTtlSeconds }: Zone, serial: number): readonly RecordSet[] {
  const soa: RecordData = {
    type: 'SOA',
    primary: nameServers[0]?.name ?? `ns.${apex}`,
    mailbox: `hostmaster.${apex}`,
    serial,
    refreshSeconds: 3600,
    retrySeconds: 600,
    expireSeconds: 604_800,
    negativeTtlSeconds,
  };
  const servers = [...new Map(nameServers.map(({ name }) => [foldName(name), name])).values()];
  return [
    // RFC 2308 section 3: a negative answer lives for the smaller one of this TTL and the SOA's last field.
    { type: 'SOA', ttlSeconds: negativeTtlSeconds, order: 'fixed', answers: 1, records: [{ data: soa }] },
    {
      type: 'NS',
      ttlSeconds: lastingTtlSeconds,
      order: 'fixed',
      answers: servers.length,
      records: servers.map((target) => ({ data: { type: 'NS', target } as const })),
    },
  ];
}

/** How a set is given out. */
export type Giving = Pick<RecordSet, 'ttlSeconds' | 'order' | 'answers'>;

/** The addresses as A and AAAA sets, each where there are any, none twice (RFC 2181 section 5); weights of equal ones add up. */
export function addressSets(
  addresses: readonly (string | { readonly address: string; readonly weight: number })[],
  giving: Giving,
): readonly RecordSet[] {
  const weights = new Map<string, number>();
  for (const one of addresses) {
    const { address, weight } = typeof one === 'string' ? { address: one, weight: 1 } : one;
    weights.set(address, Math.min(65_535, (weights.get(address) ?? 0) + weight));
  }
  const setOf = (type: 'A' | 'AAAA'): RecordSet[] => {
    const found = [...weights].filter(([address]) => address.includes(':') === (type === 'AAAA'));
    if (found.length === 0) return [];
    const records = found.map(([address, weight]) => ({
      data: { type, address },
      ...(giving.order === 'weighted' ? { weight } : {}),
    }));
    return [{ ...giving, type, answers: Math.min(giving.answers, records.length), records }];
  };
  return [...setOf('A'), ...setOf('AAAA')];
}

function aliasSet(target: string, ttlSeconds: number): RecordSet {
  return { type: 'CNAME', ttlSeconds, order: 'fixed', answers: 1, records: [{ data: { type: 'CNAME', target } }] };
}

/** What `*.dns.domain` is; that of a service stands in the service's own chapter. */
function undeclaredSets({ undeclared, ttlSeconds }: ZoneRules): readonly RecordSet[] {
  if (undeclared === undefined || 'service' in undeclared) return [];
  if ('name' in undeclared) return [aliasSet(undeclared.name, ttlSeconds)];
  const { addresses } = undeclared;
  return addressSets(addresses, { ttlSeconds, order: 'turns', answers: addresses.length });
}
