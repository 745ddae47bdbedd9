import { existsSync } from 'node:fs';
import type { z } from 'zod';
import { type Assembled, assemble } from './assemble.ts';
import { type Document, emptyDocument, type Path, readDocument } from './document.ts';
import { type Fault, showValue } from './fault.ts';
import { flatNames, readFlat } from './flat.ts';
import { acrossFaults, type Roles } from './rules.ts';
import { type Config, configSchema, nestedNames } from './schema.ts';
import { readSecretFiles } from './secret-files.ts';
import { resolveSecrets } from './secret-places.ts';
import { keysAt, suggestion } from './suggest.ts';
import { isTree } from './tree.ts';

export type Loaded =
  | { readonly config: Config; readonly faults: readonly []; readonly notices: readonly string[] }
  | { readonly config: undefined; readonly faults: readonly Fault[]; readonly notices: readonly string[] };

export const defaultFile = 'conf/env.yaml';

/**
 * Reads the configuration: defaults, then the file, then the environment. Without a file name, `conf/env.yaml` is
 * read where it exists. Either a whole configuration or every fault at once comes back; nothing is thrown for what
 * a person wrote.
 */
export function loadConfig(options: {
  readonly file?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly roles?: Roles;
}): Loaded {
  const document = findDocument(options.file);
  const secrets = readSecretFiles(options.env);
  const flat = readFlat(document, secrets.env);
  const resolved = resolveSecrets(document.root, options.env, document.placeOf);
  const assembled = assemble({ ...document, root: resolved.root }, flat);
  const faults = [
    ...document.faults,
    ...secrets.faults,
    ...resolved.faults,
    ...unknownNames(document),
    ...flat.faults,
    ...assembled.faults,
  ];
  const parsed = configSchema.safeParse(withoutUnknown(assembled.raw));
  if (!parsed.success) {
    const already = new Set(faults.map(({ path }) => path));
    const found = parsed.error.issues.flatMap((issue) => faultsOf(issue, assembled.raw, assembled.originOf));
    // Nothing is said twice: a document without services because it did not parse needs no second complaint.
    if (document.faults.length === 0) faults.push(...found.filter(({ path }) => !already.has(path)));
  } else {
    faults.push(...acrossFaults(parsed.data, options.roles ?? {}, assembled.originOf));
  }
  const { notices } = flat;
  if (faults.length > 0 || !parsed.success) return { config: undefined, faults, notices };
  return { config: freeze(parsed.data), faults: [], notices };
}

function findDocument(file: string | undefined): Document {
  if (file !== undefined) return readDocument(file);
  return existsSync(defaultFile) ? readDocument(defaultFile) : emptyDocument();
}

function unknownNames(document: Document): Fault[] {
  const known = [...flatNames, ...nestedNames];
  return Object.keys(document.root)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      place: document.placeOf([name]),
      path: name,
      expected: `no such parameter${suggestion(name, known)}`,
    }));
}

const withoutUnknown = (raw: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(raw).filter(([name]) => nestedNames.includes(name)));

/**
 * The value at a path, and that path as it stands in the document: a single source need not be in a list, although
 * the schema counts it as the first of one, and a text may stand for a map with that `kind`.
 */
function locate(root: unknown, path: Path): { readonly value: unknown; readonly path: Path } {
  const real: (string | number)[] = [];
  let value = root;
  for (const key of path) {
    if (typeof key === 'number' && isTree(value)) continue;
    if (typeof value === 'string' && key === 'kind') break;
    real.push(key);
    value = Array.isArray(value) ? value[Number(key)] : isTree(value) ? value[String(key)] : undefined;
  }
  return { value, path: real };
}

/** One complaint of the schema as a fault of ours; an unrecognised key stands under its own name. */
function faultsOf(issue: z.core.$ZodIssue, raw: unknown, originOf: Assembled['originOf']): Fault[] {
  const schemaPath = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  const { value, path } = locate(raw, schemaPath);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const { place, name } = originOf([...path, key]);
      return { place, path: name, expected: `no such parameter${suggestion(key, keysAt(schemaPath))}` };
    });
  }
  const { place, name } = originOf(path);
  const expected = issue.message
    .replace(/^(Invalid input|Too big|Too small|Invalid option|Invalid string): /, '')
    .replace(/^Invalid discriminator value. E/, 'e')
    .replace(/^expected int(, received number)?/, 'expected a whole number')
    .replace(/, received undefined$/, '');
  if (value === undefined) return [{ place, path: name, expected: `missing: ${expected}` }];
  return [{ place, path: name, value: showValue(name, value), expected }];
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
