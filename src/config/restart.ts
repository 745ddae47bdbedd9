import type { Roles } from './rules.ts';
import { isSameSetting } from './same.ts';
import type { Config } from './schema.ts';

type Path = readonly string[];

/** What is only read at a start: what others know this process by, and the sockets that must not blink. */
const always: readonly Path[] = [
  ['store'],
  ['cluster'],
  ['aws'],
  ['stateDirectory'],
  ['api', 'listen'],
  ['api', 'tls'],
  ['exporter', 'listen'],
  ['exporter', 'tls'],
  ['log', 'format'],
];
/** The thread that answers DNS outlives a reload. */
const ofDns: readonly Path[] = [
  ['dns', 'listen'],
  ['dns', 'forward'],
  ['dns', 'rateLimit'],
  ['dns', 'tcp'],
  ['dns', 'transport'],
];

/**
 * Paths of what differs between two configurations and takes a restart of a process with these roles.
 */
export function restartPaths(before: Config, after: Config, roles: Roles): readonly string[] {
  const paths = [...always, ...(roles.dns === true ? ofDns : [])];
  const differing = paths
    .filter((path) => !isSameSetting(at(before, path), at(after, path)))
    .map((path) => path.join('.'));
  return [...differing, ...ofHsdoTable(before, after), ...ofClient(before, after, roles)];
}

/** The ramp of the service in HSDO's table is part of how that is read, and the table of how the lease is held. */
function ofHsdoTable(before: Config, after: Config): readonly string[] {
  const { store } = before;
  if (store.kind !== 'dynamodb' || store.hsdoTable === undefined) return [];
  const rampOf = ({ services }: Config) => {
    const service = services.find(({ name }) => store.hsdoService === undefined || name === store.hsdoService);
    return service && [service.name, service.weight.min, service.weight.increase, service.weight.intervalSeconds];
  };
  return isSameSetting(rampOf(before), rampOf(after))
    ? []
    : ['services (name and weight of the one in the table of HSDO)'];
}

/** A process without a backend to keep has no role of a client. */
function ofClient(before: Config, after: Config, roles: Roles): readonly string[] {
  const isClient = ({ services }: Config) => services.some(({ haproxy }) => haproxy !== undefined);
  return roles.client === true && isClient(before) !== isClient(after)
    ? ['services (the first or last haproxy block)']
    : [];
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), value);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
