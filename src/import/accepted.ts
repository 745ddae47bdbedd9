import { assemble } from '../config/assemble.ts';
import { faultsOf } from '../config/complaint.ts';
import { parseSource } from '../config/document.ts';
import type { Fault } from '../config/fault.ts';
import { readFlat } from '../config/flat.ts';
import { acrossFaults } from '../config/rules.ts';
import { configSchema } from '../config/schema.ts';
import { resolveSecrets } from '../config/secret-places.ts';
import type { Draft } from './draft.ts';

/** Stands in for what the old file left to its environment, too. */
const unknownSecret = 'whatever-it-is';

/**
 * What `hsdo check-config` would say of a text made from the draft, with every secret in the variable that it was given:
 * faults in words of the old file, and none where the new one runs. The machine's own environment has no part in it.
 */
export function faultsOfResult(text: string, draft: Draft): readonly Fault[] {
  const document = parseSource('the new file', text);
  const referred = [...text.matchAll(/\benv: ([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name = '']) => [name, unknownSecret]);
  const variables = Object.fromEntries([
    ...referred,
    ...draft.variables.map(({ name, value }) => [name, value]),
  ]) as NodeJS.ProcessEnv;
  const { root, faults } = resolveSecrets(document.root, variables, document.placeOf);
  const assembled = assemble({ ...document, root }, readFlat(document, {}));
  const parsed = configSchema.safeParse(assembled.raw);
  const found = parsed.success
    ? acrossFaults(parsed.data, {}, draft.originOf)
    : parsed.error.issues.flatMap((issue) => faultsOf(issue, assembled.raw, draft.originOf, configSchema));
  return [...document.faults, ...faults, ...assembled.faults, ...found];
}
