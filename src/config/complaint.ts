import type { z } from 'zod';
import type { Assembled } from './assemble.ts';
import type { Path } from './document.ts';
import { type Fault, showValue } from './fault.ts';
import { keysAt, suggestion } from './suggest.ts';
import { isTree } from './tree.ts';

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

/**
 * One complaint of a schema as faults of ours; an unrecognised key stands under its own name, with a suggestion.
 *
 * `raw`: what the schema was given, at whose paths `originOf` says where a value came from.
 */
export function faultsOf(
  issue: z.core.$ZodIssue,
  raw: unknown,
  originOf: Assembled['originOf'],
  schema: z.ZodType,
): Fault[] {
  const schemaPath = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  const { value, path } = locate(raw, schemaPath);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const { place, name } = originOf([...path, key]);
      return { place, path: name, expected: `no such parameter${suggestion(key, keysAt(schemaPath, schema))}` };
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
