import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeError, HsdoError, hasCode } from '../model/error.ts';
import type { ExtensionContext, Extensions } from './extension.ts';

/** What a configuration says of an extension. */
export interface ExtensionConfig {
  /** A file of JavaScript or TypeScript; a relative one starts from the working directory. */
  readonly path: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The methods that each kind of extension must have. */
const methods: Readonly<Record<keyof Extensions, readonly string[]>> = {
  createCheck: ['check'],
  createSwitcher: ['current', 'switchTo'],
  createNotifier: ['notify'],
};

/**
 * Makes an extension when it is first needed, and keeps it. What cannot be loaded is tried again by the next call: a file
 * that a deployment is just replacing must not cost more than that. (Node keeps a module that failed by itself, so a
 * file with a fault in it needs a new start.)
 *
 * @returns a function that gives the extension; rejects with `unavailable`, naming the file and what was expected
 */
export function lazyExtension<K extends keyof Extensions>(
  factory: K,
  config: ExtensionConfig,
  context: ExtensionContext,
): () => Promise<Extensions[K]> {
  let loaded: Promise<Extensions[K]> | undefined;
  return () => {
    loaded ??= load(factory, config, context).catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}

async function load<K extends keyof Extensions>(
  factory: K,
  { path, options }: ExtensionConfig,
  context: ExtensionContext,
): Promise<Extensions[K]> {
  const file = resolve(path);
  const refuse = (expected: string, cause?: unknown) =>
    new HsdoError('unavailable', `Cannot use extension "${file}": ${expected}`, { cause });
  const exported = await importFile(file).catch((error: unknown) => {
    throw refuse('it cannot be loaded', error);
  });
  const create = exported[factory];
  if (typeof create !== 'function') throw refuse(`expected it to export a function ${factory}(options, context)`);
  const make = create as (options: object, context: ExtensionContext) => unknown;
  const made = await (async () => make(options, context))().catch((error: unknown) => {
    throw refuse(`${factory} failed`, error);
  });
  const missing = methods[factory].find(
    (name) => typeof (made as Record<string, unknown> | null)?.[name] !== 'function',
  );
  if (missing !== undefined) throw refuse(`expected what ${factory} returns to have a method ${missing}`);
  return made as Extensions[K];
}

/** Node.js from 22.18 on reads TypeScript itself; for older ones tsx does. */
async function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { href } = pathToFileURL(file);
  const isTypeScript = /\.[cm]?ts$/.test(file);
  if (!isTypeScript || 'typescript' in process.features) return import(href) as Promise<Record<string, unknown>>;
  const { tsImport } = await import('tsx/esm/api');
  return tsImport(href, import.meta.url) as Promise<Record<string, unknown>>;
}

/**
 * What an extension threw, as an error of ours: `rejected` where it says so by its `code`, else `unavailable`, with the
 * `retryAfterMs` that it names.
 */
export function extensionError(what: string, error: unknown): HsdoError {
  if (error instanceof HsdoError && !hasCode(error, 'config')) return error;
  const { code, retryAfterMs } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const isLater = typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs) && retryAfterMs >= 0;
  return new HsdoError(code === 'rejected' ? 'rejected' : 'unavailable', `${what}: ${describeError(error)}`, {
    cause: error,
    ...(isLater ? { retryAfterMs } : {}),
  });
}
