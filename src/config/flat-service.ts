import type { Path } from './document.ts';
import { type Fault, showValue } from './fault.ts';
import type { Flat } from './flat.ts';
import { isTree, type Tree } from './tree.ts';

const compact = (fields: Tree) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
const given = (flat: Flat, name: string) => (flat.isSet(name) ? flat.get(name) : undefined);

/** Where in the nested form each flat parameter of the service ends up, so that a complaint names what a person wrote. */
export const servicePaths: readonly (readonly [string, Path])[] = [
  ['SERVICE_NAME', ['services', 0, 'name']],
  ['SERVER_ASG_NAMES', ['services', 0, 'source', 'groups']],
  ['CONSUL_API_URL', ['services', 0, 'source', 'url']],
  ['CONSUL_SERVICE_NAME', ['services', 0, 'source', 'services']],
  ['CONSUL_TOKEN', ['services', 0, 'source', 'token']],
  ['CONSUL_DATACENTER', ['services', 0, 'source', 'datacenter']],
  ['CONSUL_TAGS', ['services', 0, 'source', 'tags']],
  ['SERVER_FILE_PATH', ['services', 0, 'source', 'path']],
  ['SERVER_DNS_NAMES', ['services', 0, 'source', 'names']],
  ['HAPROXY_BACKEND_SERVER_MIN_WEIGHT', ['services', 0, 'weight', 'min']],
  ['HAPROXY_SOCKET_PATH', ['services', 0, 'haproxy', 'sockets']],
  ['HAPROXY_STATE_FILE', ['services', 0, 'haproxy', 'stateFile']],
  ['CLIENT_ASG_NAMES', ['services', 0, 'haproxy', 'primaryGroups']],
  ['CLIENT_HAPROXY_BACKEND_LIST', ['services', 0, 'haproxy', 'backends']],
  ['HAPROXY_BACKEND_NAME', ['services', 0, 'haproxy', 'backends', 0, 'name']],
  ['HAPROXY_BACKEND_BASE_NAME', ['services', 0, 'haproxy', 'backends', 0, 'baseName']],
  ['HAPROXY_FALLBACK_BACKEND_NAME', ['services', 0, 'haproxy', 'backends', 1]],
];

/** The one service that the flat parameters describe, in the nested form. */
export function flatService(flat: Flat, faults: Fault[]): Tree {
  return compact({
    name: flat.get('SERVICE_NAME'),
    source: flatSource(flat, faults),
    size: flat.get('HAPROXY_BACKEND_SERVERS_LIST_SIZE'),
    weight: {
      min: flat.get('HAPROXY_BACKEND_SERVER_MIN_WEIGHT'),
      max: flat.get('HAPROXY_BACKEND_SERVER_MAX_WEIGHT'),
      increase: flat.get('HAPROXY_BACKEND_SERVER_INCREASE_WEIGHT'),
      intervalSeconds: flat.get('HAPROXY_BACKEND_SERVER_INCREASE_WEIGHT_INTERVAL'),
      first: flat.get('HAPROXY_BACKEND_SERVER_FIRST_WEIGHT'),
    },
    guard: { maxRemoveShare: flat.get('GUARD_MAX_REMOVE_SHARE'), confirmReads: flat.get('GUARD_CONFIRM_READS') },
    drainSeconds: flat.get('HAPROXY_BACKEND_SERVER_DRAIN_SECONDS'),
    haproxy: flatHaproxy(flat, faults),
  });
}

/** Names a parameter that another one makes necessary. */
function need(flat: Flat, faults: Fault[], name: string, because: string): unknown {
  const value = given(flat, name);
  if (value === undefined)
    faults.push({ place: flat.placeOf(name), path: name, expected: `expected a value, since ${because}` });
  return value;
}

function flatSource(flat: Flat, faults: Fault[]): Tree | undefined {
  switch (flat.get('SERVER_MODE')) {
    case 'aws':
      return { kind: 'aws', groups: need(flat, faults, 'SERVER_ASG_NAMES', 'SERVER_MODE is aws') ?? ['missing'] };
    case 'consul':
      return compact({
        kind: 'consul',
        url: need(flat, faults, 'CONSUL_API_URL', 'SERVER_MODE is consul') ?? 'http://missing',
        services: need(flat, faults, 'CONSUL_SERVICE_NAME', 'SERVER_MODE is consul') ?? ['missing'],
        token: given(flat, 'CONSUL_TOKEN'),
        datacenter: given(flat, 'CONSUL_DATACENTER'),
        tags: given(flat, 'CONSUL_TAGS'),
      });
    case 'file':
      return { kind: 'file', path: need(flat, faults, 'SERVER_FILE_PATH', 'SERVER_MODE is file') ?? 'missing' };
    case 'dns':
      return { kind: 'dns', names: need(flat, faults, 'SERVER_DNS_NAMES', 'SERVER_MODE is dns') ?? ['missing'] };
    default:
      return undefined;
  }
}

function flatHaproxy(flat: Flat, faults: Fault[]): Tree | undefined {
  const list = flat.get('CLIENT_HAPROXY_BACKEND_LIST');
  const main = given(flat, 'HAPROXY_BACKEND_NAME');
  if (list === undefined && main === undefined && !flat.isSet('HAPROXY_BACKEND_BASE_NAME')) return undefined;
  const isLimited = flat.get('AZ_LIMITER') === true;
  const port = { port: given(flat, 'HAPROXY_BACKEND_SERVER_PORT'), defaultPort: 80 };
  const accepts = isLimited ? 'primary' : 'all';
  const backends: Tree[] =
    list === undefined
      ? [
          {
            name: need(flat, faults, 'HAPROXY_BACKEND_NAME', 'HAPROXY_BACKEND_BASE_NAME is set') ?? 'missing',
            baseName: need(flat, faults, 'HAPROXY_BACKEND_BASE_NAME', 'HAPROXY_BACKEND_NAME is set') ?? 'missing',
            ...port,
            accepts,
          },
        ]
      : listedBackends(list, port, accepts, flat, faults);
  if (isLimited) {
    need(flat, faults, 'CLIENT_ASG_NAMES', 'AZ_LIMITER is true');
    backends.push(...fallbackBackend(flat, faults, port));
  }
  return compact({
    sockets: flat.get('HAPROXY_SOCKET_PATH'),
    backends: backends.map(compact),
    primaryGroups: given(flat, 'CLIENT_ASG_NAMES'),
    stateFile: given(flat, 'HAPROXY_STATE_FILE'),
    manageWeights: given(flat, 'CLIENT_USE_MANAGED_WEIGHTS_BY_HSDO'),
  });
}

/** HSDO knows the limiter without a fallback: then targets of other groups are simply left out. */
function fallbackBackend(flat: Flat, faults: Fault[], port: Tree): Tree[] {
  const name = given(flat, 'HAPROXY_FALLBACK_BACKEND_NAME');
  if (name === undefined) return [];
  const baseName = need(flat, faults, 'HAPROXY_FALLBACK_BACKEND_BASE_NAME', 'HAPROXY_FALLBACK_BACKEND_NAME is set');
  const takesAll = flat.get('ALL_SERVERS_IN_FALLBACK_BACKEND') === true;
  return [{ name, baseName: baseName ?? 'missing', ...port, accepts: takesAll ? 'all' : 'fallback' }];
}

function listedBackends(list: unknown, port: Tree, accepts: string, flat: Flat, faults: Fault[]): Tree[] {
  return Object.entries(list as Tree).map(([name, entry]) => {
    const { baseName, serverPort, ...others } = isTree(entry) ? entry : {};
    if (!isTree(entry) || baseName === undefined || Object.keys(others).length > 0) {
      const path = `CLIENT_HAPROXY_BACKEND_LIST.${name}`;
      faults.push({
        place: flat.placeOf('CLIENT_HAPROXY_BACKEND_LIST'),
        path,
        value: showValue(path, entry),
        expected: 'expected {baseName, serverPort}',
      });
    }
    return {
      name,
      ...port,
      accepts,
      baseName: baseName ?? 'missing',
      ...(serverPort === undefined ? {} : { port: serverPort }),
    };
  });
}
