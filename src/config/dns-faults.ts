import { type DnsConfig, domainName } from '../deliver/dns/config.ts';
import { foldName, isWithin, layOutNames, type NameLayout, parentOf, slotName } from '../deliver/dns/records/zones.ts';
import { type Path, showPath } from './document.ts';
import { showValue } from './fault.ts';
import type { Config, ServiceConfig } from './schema.ts';

type Say = (path: Path, expected: string, value?: string) => void;

/** The configuration of a process that answers DNS. */
interface Named {
  readonly dns: DnsConfig;
  readonly services: readonly ServiceConfig[];
  readonly layout: NameLayout;
  readonly say: Say;
}

/** True for a service that is found by a name in DNS. */
export const isPublished = (dns: DnsConfig, { dns: own, domain }: ServiceConfig): boolean =>
  own.publish && (dns.domain !== undefined || domain !== undefined);

/** What is wrong between the `dns:` block and the services, and within the block. */
export function dnsFaults({ dns, services }: Config, say: Say): void {
  if (dns === undefined) return;
  const named: Named = { dns, services, say, layout: layOutNames(dns, services) };
  someName(named);
  speakable(named);
  ownNames(named);
  undeclaredIsKnown(named);
  aliasesLead(named);
  forwardIsThere(named);
  ownAddresses(named);
}

const someName = ({ dns, services, say }: Named) => {
  if (services.some((service) => isPublished(dns, service))) return;
  say(['dns', 'domain'], 'missing: no service has a name in DNS without it, or without a domain of its own');
};

/** The longest name that stands below each of them must be one. */
const speakable = ({ dns, services, say }: Named) => {
  const isName = (name: string) => domainName.safeParse(name).success;
  const tooLong = 'expected a shorter domain: names below it have at most 253 characters';
  if (dns.domain !== undefined && !isName(`hostmaster.${dns.domain}`))
    say(['dns', 'domain'], tooLong, showValue('domain', dns.domain));
  services.forEach((service, n) => {
    const { name, domain, size } = service;
    if (!isPublished(dns, service)) return;
    if (domain !== undefined && !isName(`hostmaster.${slotName(size, domain)}`))
      say(['services', n, 'domain'], tooLong, showValue('domain', domain));
    if (dns.domain !== undefined && !isName(slotName(size, `${name}.${dns.domain}`))) {
      const expected = `expected what makes a name below ${dns.domain}: labels of 1 to 63 characters, 253 in all, or dns: {publish: false}`;
      say(['services', n, 'name'], expected, showValue('name', name));
    }
  });
};

interface Claim {
  readonly name: string;
  readonly owner: string;
  readonly path: Path;
  readonly written: string;
}

/** Each name has one owner. The complaint stands where the later one is written. */
const ownNames = ({ dns, services, layout, say }: Named) => {
  const owners = new Map<string, Claim>();
  const slots = slotParents(services, layout);
  const told = new Set<string>();
  for (const claim of [...zoneClaims(layout, dns), ...serviceClaims(services, layout), ...aliasClaims(dns, layout)]) {
    const owner = owners.get(foldName(claim.name))?.owner ?? slotOwner(claim.name, slots);
    if (owner === undefined) owners.set(foldName(claim.name), claim);
    else if (owner !== claim.owner && !told.has(showPath(claim.path))) {
      // Whoever shares one name shares others made of it; once is enough.
      told.add(showPath(claim.path));
      const expected = `expected a name in DNS of its own: ${claim.name} belongs to ${owner}`;
      say(claim.path, expected, showValue('name', claim.written));
    }
  }
};

type SlotParents = ReadonlyMap<string, ServiceConfig>;

/** The names below which slots stand, with their service. */
function slotParents(services: readonly ServiceConfig[], layout: NameLayout): SlotParents {
  return new Map(
    services.flatMap((service) =>
      layout
        .namesOf(service.name)
        .filter(({ kind }) => kind === 'service')
        .map(({ name }) => [foldName(name), service] as const),
    ),
  );
}

function slotOwner(name: string, parents: SlotParents): string | undefined {
  const index = /^slot-([1-9]\d*)\./.exec(foldName(name))?.[1];
  const parent = index === undefined ? undefined : parents.get(foldName(parentOf(name)));
  return parent !== undefined && Number(index) <= parent.size ? `a slot of service "${parent.name}"` : undefined;
}

/** Apexes that no service owns, and name servers with an address. */
function zoneClaims({ zones, zoneOf }: NameLayout, { nameServers }: DnsConfig): readonly Claim[] {
  const apexes = zones.map(
    ({ apex }): Claim => ({ name: apex, owner: 'the zone', path: ['dns', 'domain'], written: apex }),
  );
  const usual = nameServers.length > 0 ? [] : zones.flatMap((zone) => zone.nameServers);
  const owner = "the zone's name server";
  return [
    ...apexes.filter((_, n) => zones[n]?.owner === undefined),
    ...usual.map(({ name }) => ({ name, owner, path: ['dns', 'nameServers'], written: name })),
    ...nameServers.flatMap(({ name, addresses }, n): readonly Claim[] =>
      addresses.length === 0 || zoneOf(name) === undefined
        ? []
        : [{ name, owner, path: ['dns', 'nameServers', n, 'name'], written: name }],
    ),
  ];
}

function serviceClaims(services: readonly ServiceConfig[], layout: NameLayout): readonly Claim[] {
  return services.flatMap(({ name: service, domain }, n) =>
    layout.namesOf(service).map(({ name }): Claim => {
      const isOwn = domain !== undefined && foldName(name) === foldName(domain);
      const [path, written] = isOwn ? [['services', n, 'domain'], domain] : [['services', n, 'name'], service];
      return { name, owner: `service "${service}"`, path, written };
    }),
  );
}

function aliasClaims({ aliases }: DnsConfig, { zoneOf }: NameLayout): readonly Claim[] {
  return Object.keys(aliases)
    .filter((alias) => zoneOf(alias) !== undefined)
    .map((alias) => ({ name: alias, owner: `alias ${alias}`, path: ['dns', 'aliases', alias], written: alias }));
}

const undeclaredIsKnown = ({ dns, services, layout, say }: Named) => {
  const { undeclared, domain } = dns;
  if (undeclared === undefined) return;
  if (domain === undefined)
    say(['dns', 'undeclared'], 'expected domain beside it: the names that nobody declared lie there');
  if (!('service' in undeclared) || layout.namesOf(undeclared.service).length > 0) return;
  const names = services.filter((service) => isPublished(dns, service)).map(({ name }) => name);
  const expected = `expected a service with a name in DNS: ${names.join(', ')}`;
  say(['dns', 'undeclared', 'service'], expected, showValue('service', undeclared.service));
};

const aliasesLead = ({ dns, layout, say }: Named) => {
  const next = followIn(dns, layout);
  const isEndless = (start: string) => {
    const seen = new Set<string>();
    for (let name = next(start); name !== undefined && !seen.has(foldName(name)); name = next(name)) {
      seen.add(foldName(name));
      if (foldName(name) === foldName(start)) return true;
    }
    return false;
  };
  for (const [alias, target] of Object.entries(dns.aliases)) {
    const zones = layout.zones.map(({ apex }) => apex).join(', ');
    if (layout.zoneOf(alias) === undefined) say(['dns', 'aliases', alias], `expected an alias within ${zones}`);
    else if (isEndless(alias))
      say(
        ['dns', 'aliases', alias],
        'expected a name that does not lead back to the alias',
        showValue('alias', target),
      );
  }
  const { undeclared } = dns;
  if (undeclared !== undefined && 'name' in undeclared && isEndless(undeclared.name)) {
    const expected = 'expected a name that is declared, or lies elsewhere: this one leads back to itself';
    say(['dns', 'undeclared', 'name'], expected, showValue('name', undeclared.name));
  }
};

/** One step along the CNAME records: `undefined` where a name has none. */
function followIn({ aliases, undeclared, domain }: DnsConfig, layout: NameLayout) {
  const byAlias = new Map(Object.entries(aliases).map(([alias, target]) => [foldName(alias), target]));
  const known = new Set([...byAlias.keys(), ...layout.between]);
  for (const { apex, nameServers } of layout.zones) {
    for (const name of [apex, ...nameServers.map((server) => server.name)]) known.add(foldName(name));
  }
  const isUndeclared = (name: string) => {
    if (domain === undefined || !isWithin(name, domain)) return false;
    // A wildcard stands for what has no name at all between itself and the domain (RFC 4592 section 3.3.1).
    let top = foldName(name);
    while (top !== foldName(domain) && parentOf(top) !== foldName(domain)) top = parentOf(top);
    return !known.has(top) && !layout.isOfService(top);
  };
  const fallback = undeclared !== undefined && 'name' in undeclared ? undeclared.name : undefined;
  return (name: string) => byAlias.get(foldName(name)) ?? (isUndeclared(name) ? fallback : undefined);
}

const forwardIsThere = ({ dns, services, say }: Named) => {
  if (dns.forward !== undefined) return;
  const wanted = 'expected nodata, or dns: {forward: {to: [...]}}: there is no server to ask';
  if (dns.otherTypes === 'forward') say(['dns', 'otherTypes'], wanted, showValue('otherTypes', 'forward'));
  services.forEach(({ dns: { otherTypes } }, n) => {
    if (otherTypes === 'forward')
      say(['services', n, 'dns', 'otherTypes'], wanted, showValue('otherTypes', otherTypes));
  });
};

const isAny = (host: string) => /^[0:.]+$/.test(host);
const isLoopback = (host: string) => /^127\.|^::1$/.test(host);

/** Each address once, and none that asks itself. Port 0 is another one each time. */
const ownAddresses = ({ dns: { listen, forward }, say }: Named) => {
  listen.forEach(({ host, port }, n) => {
    const isTaken = port !== 0 && listen.findIndex((other) => other.host === host && other.port === port) < n;
    if (isTaken) say(['dns', 'listen', n], 'expected each address once', showValue('listen', `${host}:${port}`));
  });
  forward?.to.forEach(({ host, port }, n) => {
    const isOwn = listen.some(
      (own) => own.port === port && (own.host === host || (isAny(own.host) && isLoopback(host))),
    );
    if (isOwn)
      say(['dns', 'forward', 'to', n], 'expected another server than hsdo itself', showValue('to', `${host}:${port}`));
  });
};
