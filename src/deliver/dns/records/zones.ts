/** What of the `dns:` block says which names there are. Domains are absolute, in any case, without the dot at the end. */
export interface ZoneRules {
  readonly domain?: string | undefined;
  /** Where hsdo answers; what stands for all addresses of a machine counts for none. */
  readonly listen: readonly { readonly host: string }[];
  readonly ttlSeconds: number;
  readonly negativeTtlSeconds: number;
  readonly nameServers: readonly NameServer[];
  readonly undeclared?:
    | { readonly service: string }
    | { readonly addresses: readonly string[] }
    | { readonly name: string }
    | undefined;
  /** Alias to the name that it stands for. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly otherTypes: 'nodata' | 'forward';
}

export interface NameServer {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** What of a service says which names it has. */
export interface NamedService {
  readonly name: string;
  readonly domain?: string | undefined;
  readonly dns: { readonly publish: boolean; readonly otherTypes?: 'nodata' | 'forward' | undefined };
}

/** A part of the tree of names for which hsdo has authority; its apex carries SOA and NS. */
export interface Zone {
  readonly apex: string;
  /** At least one; the first is the primary of the SOA. */
  readonly nameServers: readonly NameServer[];
  readonly negativeTtlSeconds: number;
  /** The service whose own name the apex is: its chapter holds SOA and NS, since a name stands in one chapter. */
  readonly owner?: string;
}

/** One name of a service. */
export interface ServiceName {
  /**
   * `service`: all there is to say, and slots below it; `undeclared`: the same for `*.dns.domain`, without slots; `srv`: the SRV
   * records alone (RFC 2782); `beyond`: `*.NAME`, of which other servers know more than hsdo.
   */
  readonly kind: 'service' | 'undeclared' | 'srv' | 'beyond';
  readonly name: string;
  /** The apex of its zone. */
  readonly apex: string;
  /** The name below which its slots stand. */
  readonly base: string;
  /** Where the name is the apex of a zone itself. */
  readonly zone?: Zone;
}

/** Where every name of the configuration belongs. */
export interface NameLayout {
  readonly zones: readonly Zone[];
  /** Names of a service; none where it is not published or not known. */
  namesOf(service: string): readonly ServiceName[];
  /** The names of all services, service by service. */
  readonly serviceNames: readonly { readonly service: string; readonly names: readonly ServiceName[] }[];
  /** Whether a name belongs to a service, those of its slots not counted. */
  isOfService(name: string): boolean;
  /** Names between others and the apex of their zone that belong to nobody: they exist, with nothing at them (RFC 8020). */
  readonly between: readonly string[];
  /** The innermost zone that a name lies in. */
  zoneOf(name: string): Zone | undefined;
}

/** Names are compared without case (RFC 4343). */
export const foldName = (name: string): string => name.toLowerCase();

/** The name one label up; empty for a name of one label. */
export function parentOf(name: string): string {
  const dot = name.indexOf('.');
  return dot === -1 ? '' : name.slice(dot + 1);
}

/** The name under which slot `index` of a service is found. */
export const slotName = (index: number, base: string): string => `slot-${index}.${base}`;

/**
 * Finds zones and names. A service NAME is found under NAME.`dns.domain`, under `_NAME._tcp.dns.domain` where that fits
 * into a label, and under its own `domain`. Zones are `dns.domain`, and every domain of a service that lies in no other zone.
 * Pure; takes time in proportion to the services.
 */
export function layOutNames(dns: ZoneRules, services: readonly NamedService[]): NameLayout {
  const published = services.filter((service) => service.dns.publish);
  const zones = findZones(dns, published);
  const byApex = new Map(zones.map((zone) => [foldName(zone.apex), zone]));
  const zoneOf = (name: string): Zone | undefined => {
    for (let rest = foldName(name); rest !== ''; rest = parentOf(rest)) {
      const zone = byApex.get(rest);
      if (zone !== undefined) return zone;
    }
    return undefined;
  };
  const serviceNames = published.map((service) => ({
    service: service.name,
    names: namesFor(service, dns).flatMap((name): ServiceName[] => {
      const zone = zoneOf(name.name);
      if (zone === undefined) return [];
      const isApex = foldName(zone.apex) === foldName(name.name) && zone.owner === service.name;
      return [{ ...name, apex: zone.apex, ...(isApex ? { zone } : {}) }];
    }),
  }));
  const byService = new Map(serviceNames.map(({ service, names }) => [service, names]));
  const ofServices = new Set(serviceNames.flatMap(({ names }) => names.map(({ name }) => foldName(name))));
  const others = [...zones.flatMap((zone) => [zone.apex, ...namesOfServers(zone)]), ...Object.keys(dns.aliases)];
  return {
    zones,
    serviceNames,
    zoneOf,
    namesOf: (service) => byService.get(service) ?? [],
    isOfService: (name) => ofServices.has(foldName(name)),
    between: namesBetween(new Set([...ofServices, ...others.map(foldName)]), zoneOf),
  };
}

const namesOfServers = ({ nameServers }: Zone) => nameServers.map(({ name }) => name);

/** The ancestors, within the zones, of `names` (folded) that are none of them. */
function namesBetween(names: ReadonlySet<string>, zoneOf: (name: string) => Zone | undefined): readonly string[] {
  const found = new Set<string>();
  for (const name of names) {
    for (let rest = parentOf(name); rest !== '' && zoneOf(rest) !== undefined; rest = parentOf(rest)) {
      if (!names.has(rest)) found.add(rest);
    }
  }
  return [...found];
}

type BareName = Omit<ServiceName, 'apex' | 'zone'>;

function namesFor({ name, domain, dns: own }: NamedService, dns: ZoneRules): readonly BareName[] {
  const listed = dns.domain === undefined ? undefined : `${name}.${dns.domain}`;
  const isOwn = domain !== undefined && (listed === undefined || foldName(domain) !== foldName(listed));
  const names: BareName[] = [];
  if (listed !== undefined) {
    names.push({ kind: 'service', name: listed, base: listed });
    // RFC 2782 has one label for the service, and a label has at most 63 characters.
    if (!name.includes('.') && name.length < 63)
      names.push({ kind: 'srv', name: `_${name}._tcp.${dns.domain}`, base: listed });
    if (dns.undeclared !== undefined && 'service' in dns.undeclared && dns.undeclared.service === name)
      names.push({ kind: 'undeclared', name: `*.${dns.domain}`, base: listed });
  }
  if (isOwn) {
    names.push({ kind: 'service', name: domain, base: domain });
    const isOfOthers = (own.otherTypes ?? dns.otherTypes) === 'forward' && !isWithin(domain, dns.domain);
    if (isOfOthers) names.push({ kind: 'beyond', name: `*.${domain}`, base: domain });
  }
  return names;
}

/** True for a domain itself and for all below it. */
export function isWithin(name: string, domain: string | undefined): boolean {
  if (domain === undefined) return false;
  return `.${foldName(name)}`.endsWith(`.${foldName(domain)}`);
}

function findZones(dns: ZoneRules, services: readonly NamedService[]): readonly Zone[] {
  const owners = new Map<string, { readonly apex: string; readonly owner: string }>();
  for (const { name, domain } of services) {
    if (domain !== undefined && !owners.has(foldName(domain)))
      owners.set(foldName(domain), { apex: domain, owner: name });
  }
  const domain = dns.domain === undefined ? '' : foldName(dns.domain);
  const isEnclosed = (name: string) => {
    for (let rest = parentOf(name); rest !== ''; rest = parentOf(rest)) {
      if (rest === domain || owners.has(rest)) return true;
    }
    return false;
  };
  const own = [...owners].filter(([folded]) => folded !== domain && !isEnclosed(folded)).map(([, zone]) => zone);
  const first = dns.domain === undefined ? [] : [{ apex: dns.domain, ...ownerOf(owners.get(domain)) }];
  return [...first, ...own].map((zone) => ({
    ...zone,
    negativeTtlSeconds: dns.negativeTtlSeconds,
    nameServers: dns.nameServers.length > 0 ? dns.nameServers : [usualNameServer(zone.apex, dns)],
  }));
}

const ownerOf = (found: { readonly owner: string } | undefined) => (found === undefined ? {} : { owner: found.owner });

/** `ns.ZONE` with the addresses that hsdo listens on; 0.0.0.0 and :: name none. */
function usualNameServer(apex: string, { listen }: ZoneRules): NameServer {
  const hosts = listen.map(({ host }) => host).filter((host) => !/^[0:.]+$/.test(host));
  return { name: `ns.${apex}`, addresses: [...new Set(hosts)] };
}
