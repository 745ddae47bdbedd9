import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Document, type Path, showPath } from './document.ts';
import { type Fault, showValue } from './fault.ts';
import type { Flat } from './flat.ts';
import { flatService, servicePaths } from './flat-service.ts';
import { parameters } from './parameters.ts';
import { isTree, type Tree } from './tree.ts';

/** A nested document made of what was given flat and nested, and where each part came from. */
export interface Assembled {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly faults: readonly Fault[];
  /** Where the value at a nested path came from, and the name under which a person gave it. */
  originOf(path: Path): Origin;
}

export interface Origin {
  readonly place: string;
  readonly name: string;
}

/** Flat parameters that set one nested value each, with the path of that value. */
const counterparts: readonly (readonly [string, Path, (value: unknown) => unknown])[] = [
  ['INTERVAL', ['intervalSeconds'], (value) => value],
  ['DEBUG', ['log', 'level'], (value) => (value === true ? 'debug' : 'info')],
  ['EXPORTER_PORT', ['exporter', 'listen'], (value) => `0.0.0.0:${String(value)}`],
  ['EXPORTER_TOKEN', ['exporter', 'token'], (value) => value],
  ['AWS_DEFAULT_REGION', ['aws', 'region'], (value) => value],
  ['AWS_PROFILE', ['aws', 'profile'], (value) => value],
  ['DYNAMODB_TABLE_NAME', ['store', 'hsdoTable'], (value) => value],
  ['DYNAMODB_STORE_TABLE_NAME', ['store', 'table'], (value) => value],
  ['STORE_PATH', ['store', 'path'], (value) => value],
  ['STATE_DIRECTORY', ['stateDirectory'], (value) => value],
  ['NODE_ID', ['cluster', 'nodeId'], (value) => value],
  ['LEASE_TTL', ['cluster', 'leaseTtlSeconds'], (value) => value],
  ['API_LISTEN', ['api', 'listen'], (value) => value],
  ['API_TOKEN', ['api', 'token'], (value) => value],
];

function at(root: Tree, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (isTree(value) ? value[key] : undefined), root);
}

function put(root: Tree, [key, ...rest]: Path, value: unknown): Tree {
  if (key === undefined) return root;
  const inner = root[key];
  return { ...root, [key]: rest.length === 0 ? value : put(isTree(inner) ? inner : {}, rest, value) };
}

/**
 * Brings both forms together: nested values of the file, flat ones on top. The environment wins over the file; one
 * setting that the file names in both forms is a fault, since nobody could tell which was meant.
 */
export function assemble(document: Document, flat: Flat): Assembled {
  const faults: Fault[] = [];
  let raw: Tree = Object.fromEntries(
    Object.entries(document.root).filter(
      ([name]) => !parameters.some((p) => p.name === name || p.aliases.includes(name)),
    ),
  );
  for (const [name, path, convert] of counterparts) {
    if (!flat.isSet(name)) continue;
    const nested = at(raw, path);
    if (nested !== undefined && !flat.isFromEnvironment(name)) {
      const expected = `expected this setting once, but ${path.join('.')} stands at ${document.placeOf(path)} too`;
      faults.push({ place: flat.placeOf(name), path: name, value: showValue(name, flat.get(name)), expected });
    }
    raw = put(raw, path, convert(flat.get(name)));
  }
  raw = withServices(raw, document, flat, faults);
  raw = withDefaults(raw);
  return { raw, faults, originOf: (path) => originOf(path, document, flat) };
}

/** The longest known path that leads to `path` and was given flat; else the file's own place. */
function originOf(path: Path, document: Document, flat: Flat): Origin {
  const isPrefix = (known: Path) => known.every((key, n) => path[n] === key);
  const flatPaths = [...counterparts.map(([name, known]) => [name, known] as const), ...servicePaths];
  const candidates = flatPaths.filter(([name, known]) => flat.isSet(name) && isPrefix(known));
  const [best] = candidates.sort(([, a], [, b]) => b.length - a.length);
  if (best === undefined || document.root[String(path[0])] !== undefined)
    return { place: document.placeOf(path), name: showPath(path) };
  return { place: flat.placeOf(best[0]), name: flat.writtenAs(best[0]) };
}

function withServices(raw: Tree, document: Document, flat: Flat, faults: Fault[]): Tree {
  const named = parameters.filter(({ scope, name }) => scope === 'service' && flat.isSet(name)).map(({ name }) => name);
  if (raw['services'] === undefined) {
    return named.length === 0 ? raw : { ...raw, services: [flatService(flat, faults)] };
  }
  for (const name of named) {
    const expected = `expected either flat parameters, which describe one service, or the list services at ${document.placeOf(['services'])}`;
    faults.push({ place: flat.placeOf(name), path: name, expected });
  }
  return raw;
}

/** The name of a process that was given none: another one at every start. */
export const unnamedNodeId = () => `${hostname()}-${process.pid}`;

/** What a newcomer need not say: where things lie, who this is, and which store. */
function withDefaults(raw: Tree): Tree {
  const stateDirectory = raw['stateDirectory'] ?? '.hsdo';
  const cluster = isTree(raw['cluster']) ? raw['cluster'] : {};
  const store = raw['store'] ?? {};
  return {
    ...raw,
    stateDirectory,
    cluster:
      raw['cluster'] === undefined || isTree(raw['cluster']) ? { nodeId: unnamedNodeId(), ...cluster } : raw['cluster'],
    store: isTree(store) ? withStoreKind(store, typeof stateDirectory === 'string' ? stateDirectory : '') : store,
  };
}

function withStoreKind(store: Tree, stateDirectory: string): Tree {
  const kind =
    store['kind'] ?? (store['hsdoTable'] !== undefined || store['table'] !== undefined ? 'dynamodb' : 'sqlite');
  return kind === 'sqlite' ? { path: join(stateDirectory, 'hsdo.db'), ...store, kind } : { ...store, kind };
}
