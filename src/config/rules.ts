import { isHost } from '../check/http-schema.ts';
import { agentsFaults } from './agents-faults.ts';
import { apiFaults } from './api-faults.ts';
import type { Assembled } from './assemble.ts';
import { dnsFaults, isPublished } from './dns-faults.ts';
import type { Path } from './document.ts';
import { exporterFaults } from './exporter-faults.ts';
import { type Fault, showValue } from './fault.ts';
import { notifyFaults } from './notify-faults.ts';
import type { Config } from './schema.ts';
import { switchFaults } from './switch-faults.ts';

/** Which roles the process is to play: each demands its own part of the configuration. */
export interface Roles {
  readonly server?: boolean;
  readonly client?: boolean;
  /** Answers DNS, which no other role does by itself: several processes of one machine may share a configuration, and not a port. */
  readonly dns?: boolean;
}

type Say = (path: Path, expected: string, value?: string) => void;
type Rule = (config: Config, say: Say, roles: Roles) => void;

/** What no single value can tell: rules between parts, and what the roles need. */
export function acrossFaults(config: Config, roles: Roles, originOf: Assembled['originOf']): Fault[] {
  const faults: Fault[] = [];
  const say: Say = (path, expected, value) => {
    const { place, name } = originOf(path);
    faults.push({ place, path: name, ...(value === undefined ? {} : { value }), expected });
  };
  const rules = [
    ownNames,
    rolesHaveTheirPart,
    ownBackends,
    domainsAreHosts,
    apiFaults,
    exporterFaults,
    roomInTheStore,
    roomForVotes,
    timely,
    dnsFaults,
    agentsFaults,
    notifyFaults,
    switchFaults,
  ];
  for (const rule of rules) rule(config, say, roles);
  return faults;
}

const ownNames: Rule = ({ services }, say) => {
  services.forEach(({ name }, n) => {
    const isTaken = services.findIndex((other) => other.name === name) < n;
    if (isTaken) say(['services', n, 'name'], 'expected a name of its own', showValue('name', name));
  });
};

const rolesHaveTheirPart: Rule = ({ services, dns }, say, roles) => {
  const wanted = {
    source: 'missing: --server needs to know where targets come from (flat: SERVER_MODE)',
    haproxy: 'missing: --client needs to know which backend to keep (flat: HAPROXY_BACKEND_NAME)',
    dns: 'missing: --dns needs to know where to answer and for which names, such as dns: {domain: svc.example.org}',
  };
  if (roles.dns && dns === undefined) say(['dns'], wanted.dns);
  // A service that is there for DNS alone is nothing to a client, but not all of them may be.
  const isIdle = !roles.dns && services.every(({ haproxy }) => haproxy === undefined);
  services.forEach((service, n) => {
    const hasName = dns !== undefined && isPublished(dns, service);
    if (roles.server && service.source.length === 0) say(['services', n, 'source'], wanted.source);
    if (roles.client && service.haproxy === undefined && (!hasName || isIdle))
      say(['services', n, 'haproxy'], wanted.haproxy);
  });
};

/** Two services in one backend would take turns in emptying it. */
const ownBackends: Rule = ({ services }, say) => {
  const owners = new Map<string, string>();
  services.forEach(({ name: service, haproxy }, n) => {
    for (const [at, { name }] of (haproxy?.backends ?? []).entries()) {
      const places = (haproxy?.sockets ?? []).map((socket) => `${name} at ${socket}`);
      const taken = places.find((place) => owners.has(place));
      for (const place of places) owners.set(place, owners.get(place) ?? service);
      if (taken === undefined) continue;
      const expected = `expected a backend of its own; service "${owners.get(taken)}" keeps ${taken}`;
      say(['services', n, 'haproxy', 'backends', at, 'name'], expected, showValue('name', name));
    }
  });
};

/** A domain may be more than the name of a host: it may end a label with a hyphen, or look like half an address. */
const domainsAreHosts: Rule = ({ services }, say) => {
  services.forEach(({ domain, check }, n) => {
    if (check?.kind !== 'http' || !check.forwardDomain || domain === undefined || isHost(domain)) return;
    const isGiven = Object.keys(check.headers).some((name) => name.toLowerCase() === 'host');
    const wanted = 'expected the name of a host, since the http check says it as Host';
    if (!isGiven) say(['services', n, 'domain'], wanted, showValue('domain', domain));
  });
};

const roomInTheStore: Rule = ({ store, services }, say) => {
  if (store.kind !== 'dynamodb' || services.length === 1) return;
  if (store.table === undefined) {
    const wanted = "HSDO's table holds one service; several need a second table (flat: DYNAMODB_STORE_TABLE_NAME)";
    say(['store', 'table'], `missing: ${wanted}`);
  }
  const names = services.map(({ name }) => name);
  if (store.hsdoTable === undefined || names.includes(store.hsdoService ?? '')) return;
  const wanted = `expected the one service that lives in HSDO's table: ${names.join(', ')}`;
  const { hsdoService } = store;
  if (hsdoService === undefined) say(['store', 'hsdoService'], `missing: ${wanted}`);
  else say(['store', 'hsdoService'], wanted, showValue('hsdoService', hsdoService));
};

/** Votes are told in the plain store; HSDO's table has no place for them. */
const roomForVotes: Rule = ({ store, services }, say) => {
  if (store.kind !== 'dynamodb' || store.table !== undefined) return;
  const place = services.findIndex(({ check }) => check !== undefined);
  const wanted = "votes need a second table beside HSDO's (flat: DYNAMODB_STORE_TABLE_NAME)";
  if (place >= 0) say(['store', 'table'], `missing: service "${services[place]?.name}" has a check, and ${wanted}`);
};

/** A server that says less often that it is there than it is believed would come and go. */
const timely: Rule = ({ cluster: { heartbeatSeconds, nodeTtlSeconds } }, say) => {
  if (nodeTtlSeconds >= 2 * heartbeatSeconds) return;
  const wanted = `expected at least twice heartbeatSeconds (${heartbeatSeconds})`;
  say(['cluster', 'nodeTtlSeconds'], wanted, showValue('nodeTtlSeconds', nodeTtlSeconds));
};
