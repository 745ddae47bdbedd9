import { existsSync } from 'node:fs';
import { assemble } from './assemble.ts';
import { faultsOf } from './complaint.ts';
import { type Document, emptyDocument, readDocument } from './document.ts';
import type { Fault } from './fault.ts';
import { flatNames, readFlat } from './flat.ts';
import { acrossFaults, type Roles } from './rules.ts';
import { type Config, configSchema, nestedNames } from './schema.ts';
import { readSecretFiles } from './secret-files.ts';
import { resolveSecrets } from './secret-places.ts';
import { suggestion } from './suggest.ts';
import { freeze } from './tree.ts';

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
    const found = parsed.error.issues.flatMap((issue) =>
      faultsOf(issue, assembled.raw, assembled.originOf, configSchema),
    );
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
