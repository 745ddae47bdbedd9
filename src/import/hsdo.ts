import { assemble } from '../config/assemble.ts';
import type { Document } from '../config/document.ts';
import { type Fault, isSecretName } from '../config/fault.ts';
import { flatNames, readFlat } from '../config/flat.ts';
import { servicePaths } from '../config/flat-service.ts';
import { nestedNames } from '../config/schema.ts';
import { suggestion } from '../config/suggest.ts';
import { isTree, type Tree } from '../config/tree.ts';
import type { Draft } from './draft.ts';
import { type Cursor, createReading } from './reading.ts';

/** What is different from HSDO for whoever changes nothing. */
export function tellHsdoDifferences(draft: Draft): void {
  for (const words of [
    'a very first list starts at full weight; HAPROXY_BACKEND_SERVER_FIRST_WEIGHT: min is the way of HSDO',
    'a target that leaves drains for 30 s (HAPROXY_BACKEND_SERVER_DRAIN_SECONDS) and its slot is free after that; HSDO takes it away at once',
    'at most half of a list leaves at once, more only when it is confirmed (GUARD_MAX_REMOVE_SHARE); 1 is the way of HSDO',
    "Consul counts passing instances only, and a Consul service's own port comes before the default one unless HAPROXY_BACKEND_SERVER_PORT is set",
  ]) {
    draft.differs(undefined, words);
  }
}

/**
 * The flat parameters of a document in the nested form; all that stands there nested stays as it is.
 *
 * @returns what is wrong with the parameters.
 */
export function nestHsdo(document: Document, draft: Draft): readonly Fault[] {
  const { root, faults } = createReading(document);
  const flat = readFlat(document, {});
  const { raw, faults: both } = assemble(document, flat);
  const known = [...flatNames, ...nestedNames];
  const unknown = Object.keys(document.root).filter((key) => !known.includes(key));
  for (const key of unknown) root.at(key).fault(`no such parameter${suggestion(key, known)}`);
  const cluster = isTree(document.root['cluster']) ? document.root['cluster'] : {};
  const isGiven = (key: string) => document.root[key] !== undefined || document.root[key.toUpperCase()] !== undefined;
  const hasNode = 'nodeId' in cluster || isGiven('NODE_ID');
  for (const [key, value] of Object.entries(raw)) {
    if (unknown.includes(key)) continue;
    if (key === 'stateDirectory' && !isGiven('stateDirectory') && !isGiven('STATE_DIRECTORY')) continue;
    if (key === 'store' && isTree(value) && value['kind'] === 'sqlite' && !isGiven('store') && !isGiven('STORE_PATH'))
      continue;
    const own = key === 'cluster' && isTree(value) && !hasNode ? withoutNode(value) : value;
    if (isTree(own) && Object.keys(own).length === 0) continue;
    put([key], own, draft, root);
  }
  for (const [name, path] of servicePaths) {
    if (flat.isSet(name)) draft.origin(path, root.at(flat.writtenAs(name)));
  }
  return [...flat.faults, ...both, ...faults];
}

const withoutNode = (cluster: Tree): Tree =>
  Object.fromEntries(Object.entries(cluster).filter(([key]) => key !== 'nodeId'));

const secretFlat: Readonly<Record<string, string>> = {
  'api.token': 'API_TOKEN',
  'exporter.token': 'EXPORTER_TOKEN',
  'services.0.source.token': 'CONSUL_TOKEN',
};

/** Writes a value with all that is in it; a secret becomes a variable. */
function put(path: readonly (string | number)[], value: unknown, draft: Draft, root: Cursor): void {
  const last = path.at(-1);
  const isSecret = typeof last === 'string' && isSecretName(last) && typeof value === 'string';
  if (isSecret) {
    const wanted =
      secretFlat[path.join('.')] ??
      String(last)
        .toUpperCase()
        .replaceAll(/[^A-Z0-9]/g, '_');
    const from =
      Object.hasOwn(secretFlat, path.join('.')) && root.at(wanted).isThere ? root.at(wanted) : place(root, path);
    draft.secret(path, wanted, from);
  } else if (Array.isArray(value) && value.some((item) => isTree(item))) {
    for (const [n, item] of value.entries()) put([...path, n], item, draft, root);
  } else if (isTree(value) && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) if (inner !== undefined) put([...path, key], inner, draft, root);
  } else draft.put(path, value);
}

/** The same place in the old file, where it was nested there already. */
function place(root: Cursor, path: readonly (string | number)[]): Cursor {
  return path.reduce<Cursor>(
    (cursor, key) => (typeof key === 'number' ? (cursor.items()[key] ?? cursor) : cursor.at(key)),
    root,
  );
}
