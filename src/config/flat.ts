import convict from 'convict';
import type { Document } from './document.ts';
import { type Fault, showValue } from './fault.ts';
import { type Parameter, parameters } from './parameters.ts';

/** The flat parameters as they were given, strictly parsed. */
export interface Flat {
  /** Parsed value, or the default; `undefined` when there is neither. */
  get(name: string): unknown;
  /** True when the file or the environment sets it. */
  isSet(name: string): boolean;
  /** True when the environment sets it. */
  isFromEnvironment(name: string): boolean;
  /** Where a value came from, for faults of what is made of it. */
  placeOf(name: string): string;
  /** The name under which it was given: upstream has two for some. */
  writtenAs(name: string): string;
  readonly faults: readonly Fault[];
  /** Words to the user about names that upstream changed. */
  readonly notices: readonly string[];
}

interface Given {
  readonly parameter: Parameter;
  readonly writtenAs: string;
  readonly value: unknown;
  readonly place: string;
}

const isBlank = (value: unknown) =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

/** Every flat name, aliases included. */
export const flatNames: readonly string[] = parameters.flatMap(({ name, aliases }) => [name, ...aliases]);

/**
 * Reads the flat parameters: default, then file, then environment. Convict holds the schema, the defaults and that
 * precedence; the values are parsed by our own formats before, because its coercions guess.
 */
export function readFlat(document: Document, env: NodeJS.ProcessEnv): Flat {
  const written = Object.entries(document.root).map(([name, value]) => [name, document.asWritten([name], value)]);
  const fromFile = collect(Object.fromEntries(written) as Record<string, unknown>, (name) => document.placeOf([name]));
  const fromEnvironment = collect(env, () => 'environment');
  const faults: Fault[] = [...fromFile.faults, ...fromEnvironment.faults];
  const schema: convict.Schema<Record<string, unknown>> = {};
  for (const { name, doc, default: fallback } of parameters) {
    schema[name] = { doc, format: '*', default: fallback === undefined ? null : fallback };
  }
  const settled = convict(schema, { args: [], env: {} });
  const given = new Map<string, Given>();
  for (const source of [fromFile.given, fromEnvironment.given]) {
    for (const one of source.values()) {
      const parsed = one.parameter.format.parse(one.value);
      if (parsed === undefined) faults.push(faultOf(one));
      else settled.set(one.parameter.name, parsed);
      given.set(one.parameter.name, one);
    }
  }
  return {
    get: (name) => settled.get(name) ?? undefined,
    isSet: (name) => given.has(name),
    isFromEnvironment: (name) => fromEnvironment.given.has(name),
    writtenAs: (name) => given.get(name)?.writtenAs ?? name,
    placeOf: (name) => given.get(name)?.place ?? document.file,
    faults,
    notices: [...fromFile.notices, ...fromEnvironment.notices],
  };
}

/** Picks the parameters out of a map; one that stands there under two of its names is a fault when they differ. */
function collect(values: Readonly<Record<string, unknown>>, placeOf: (name: string) => string) {
  const given = new Map<string, Given>();
  const faults: Fault[] = [];
  const notices: string[] = [];
  for (const parameter of parameters) {
    const written = [parameter.name, ...parameter.aliases].filter((name) => !isBlank(values[name]));
    const [first, ...others] = written;
    if (first === undefined) continue;
    given.set(parameter.name, { parameter, writtenAs: first, value: values[first], place: placeOf(first) });
    for (const name of written) {
      if (name !== parameter.name) notices.push(`${placeOf(name)}: ${name} is taken as ${parameter.name}`);
    }
    for (const name of others) {
      if (String(values[name]) === String(values[first])) continue;
      faults.push({
        place: placeOf(name),
        path: name,
        value: showValue(name, values[name]),
        expected: `expected the same value as ${first}, which is the same parameter`,
      });
    }
  }
  return { given, faults, notices };
}

function faultOf({ parameter, writtenAs, value, place }: Given): Fault {
  return { place, path: writtenAs, value: showValue(writtenAs, value), expected: parameter.format.expected };
}
