import { readFileSync } from 'node:fs';
import type { Document, Path } from './document.ts';
import { showPath } from './document.ts';
import { type Fault, isSecretName } from './fault.ts';
import { isTree } from './tree.ts';

/** A map whose every value may be a secret: headers of a check, the environment of an executable. */
const secretMaps: readonly string[] = ['headers', 'env'];
/** What a check says may hold a login; the URL of a webhook is one. */
const secretTexts: readonly string[] = ['body', 'send', 'url'];

/**
 * Replaces `{ env: NAME }` and `{ file: PATH }` wherever a secret is expected (under a name such as password or token, or
 * as a header's value) by what the environment or the file holds, so that no secret need stand in a configuration file.
 * A trailing line end of a file does not belong to the secret.
 */
export function resolveSecrets(
  root: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
  placeOf: Document['placeOf'],
): { readonly root: Readonly<Record<string, unknown>>; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const resolve = (place: SecretPlace, path: Path): unknown => {
    try {
      return 'env' in place ? fromEnvironment(place.env, env) : readFileSync(place.file, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      faults.push({ place: placeOf(path), path: showPath(path), expected: `expected a secret there: ${reason}` });
      return undefined;
    }
  };
  const walk = (value: unknown, path: Path, isSecret: boolean): unknown => {
    if (Array.isArray(value)) return value.map((part, n) => walk(part, [...path, n], isSecret));
    if (!isTree(value)) return value;
    const place = isSecret ? placeIn(value) : undefined;
    if (place) return resolve(place, path);
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, walk(inner, [...path, key], isPlace(path.at(-1), key))]),
    );
  };
  return { root: walk(root, [], false) as Record<string, unknown>, faults };
}

/** Whether a secret is expected under this key of a map, by the key itself or by that of the map. */
const isPlace = (map: string | number | undefined, key: string) =>
  secretMaps.includes(String(map)) || isSecretName(key) || secretTexts.includes(key);

/** The same with `***` wherever {@link resolveSecrets} may have put a secret, for those who are shown it. */
export function hideSecrets(value: unknown, map?: string): unknown {
  if (Array.isArray(value)) return value.map((part) => hideSecrets(part, map));
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      isPlace(map, key) && !isTree(inner) ? '***' : hideSecrets(inner, key),
    ]),
  );
}

type SecretPlace = { readonly env: string } | { readonly file: string };

function placeIn(value: Readonly<Record<string, unknown>>): SecretPlace | undefined {
  const entries = Object.entries(value);
  const [[key, text] = []] = entries;
  if (entries.length !== 1 || typeof text !== 'string') return undefined;
  return key === 'env' ? { env: text } : key === 'file' ? { file: text } : undefined;
}

function fromEnvironment(name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set in the environment`);
  return value;
}
