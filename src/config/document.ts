import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { Fault } from './fault.ts';

export type Path = readonly (string | number)[];

/** A path as a person writes it: `services[0].haproxy.sockets[1]`. */
export function showPath(path: Path): string {
  return path.map((key, n) => (typeof key === 'number' ? `[${key}]` : n === 0 ? key : `.${key}`)).join('');
}

/** A configuration file: its values, and where each of them stands. */
export interface Document {
  readonly file: string;
  /** The top-level map; empty for an empty file. */
  readonly root: Readonly<Record<string, unknown>>;
  readonly faults: readonly Fault[];
  /** `file:line` of the value at `path`, or of the nearest thing around it that exists. */
  placeOf(path: Path): string;
  /**
   * The value with every number in it as the file spells it: YAML makes 12345 of 0012345 and 1000 of 1e3, which for a
   * token or a name is another one.
   */
  asWritten(path: Path, value: unknown): unknown;
}

/** An environment alone: no file at all. */
export function emptyDocument(): Document {
  return { file: 'environment', root: {}, faults: [], placeOf: () => 'environment', asWritten: (_, value) => value };
}

/** Reads and parses a YAML file; everything wrong with it becomes faults, never an exception. */
export function readDocument(file: string): Document {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const fault = { place: file, path: 'file', expected: `expected a readable file: ${reason}` };
    return { file, root: {}, faults: [fault], placeOf: () => file, asWritten: (_, value) => value };
  }
  return parseSource(file, source);
}

export function parseSource(file: string, source: string): Document {
  const lines = new LineCounter();
  const parsed = parseDocument<ParsedNode>(source, { lineCounter: lines, uniqueKeys: true });
  const lineAt = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  const faults: Fault[] = parsed.errors.map((error) => ({
    place: lineAt(error.pos[0]),
    path: 'YAML',
    expected: (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''),
  }));
  const placeOf = (path: Path): string => {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const node = parsed.getIn(path.slice(0, depth), true) as ParsedNode | undefined;
      if (node?.range) return lineAt(node.range[0]);
    }
    return file;
  };
  const asWritten = (path: Path, value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((part, n) => asWritten([...path, n], part));
    if (typeof value !== 'number') return value;
    const node: unknown = parsed.getIn(path, true);
    return isScalar(node) && node.source !== undefined ? node.source : value;
  };
  const { value, fault } = rootOf(file, parsed);
  if (fault && faults.length === 0) faults.push(fault);
  return { file, root: value, faults, placeOf, asWritten };
}

function rootOf(file: string, parsed: ReturnType<typeof parseDocument<ParsedNode>>) {
  const expectedMap: Fault = { place: file, path: 'file', expected: 'expected a map of parameters at the top level' };
  if (parsed.errors.length > 0) return { value: {}, fault: undefined };
  if (parsed.contents === null) return { value: {}, fault: undefined };
  try {
    const value: unknown = parsed.toJS({ maxAliasCount: 100 });
    if (value === null) return { value: {}, fault: undefined };
    if (!isMap(parsed.contents)) return { value: {}, fault: expectedMap };
    return { value: value as Record<string, unknown>, fault: undefined };
  } catch (error) {
    const expected = `expected plain YAML: ${error instanceof Error ? error.message : String(error)}`;
    return { value: {}, fault: { ...expectedMap, expected } };
  }
}
