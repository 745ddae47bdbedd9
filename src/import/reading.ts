import { isIP } from 'node:net';
import { type Document, type Path, showPath } from '../config/document.ts';
import { type Fault, showValue } from '../config/fault.ts';
import { isTree } from '../config/tree.ts';

/** One place of a predecessor's configuration, whether anything stands there or not. */
export interface Cursor {
  readonly path: Path;
  /** The path as people write it. */
  readonly name: string;
  /** `file:line`, of the nearest thing around it where nothing stands. */
  readonly place: string;
  readonly value: unknown;
  /** True where something stands; `null` is nothing. */
  readonly isThere: boolean;
  /** What stands under a key. Keys that nobody asks for are told at the end as unknown. */
  at(key: string): Cursor;
  /** All that stands in a map with keys of the user's own. */
  entries(): readonly (readonly [key: string, cursor: Cursor])[];
  items(): readonly Cursor[];
  /** Text on one line, as it is written; `undefined` where none stands or it is empty. */
  text(): string | undefined;
  /** As {@link text}, and a fault where nothing stands. */
  needText(expected: string): string;
  number(range: Range): number | undefined;
  flag(): boolean | undefined;
  /** One of some words, whatever the case of its letters. */
  word<W extends string>(words: readonly W[]): W | undefined;
  /** An IP address; a fault where something else stands. */
  address(): string | undefined;
  /** Says what is wrong with what stands here; `undefined`. */
  fault(expected: string): undefined;
}

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly isWhole?: boolean;
}

export const port: Range = { min: 1, max: 65_535, isWhole: true };

/** A predecessor's configuration while it is read. */
export interface Reading {
  readonly file: string;
  readonly root: Cursor;
  /** Everything that is wrong with it so far. */
  readonly faults: Fault[];
  /** What stands there and was never asked for. */
  unread(): readonly Cursor[];
}

/** Begins to read a document. `ignoresCase`: keys are the same in capital and small letters (viper, HAnoProxY). */
export function createReading(document: Document, { ignoresCase = false } = {}): Reading {
  const faults: Fault[] = [];
  const read = new Set<string>();

  const keyIn = (tree: Readonly<Record<string, unknown>>, wanted: string) =>
    Object.hasOwn(tree, wanted) || !ignoresCase
      ? wanted
      : (Object.keys(tree).find((key) => key.toLowerCase() === wanted.toLowerCase()) ?? wanted);

  function cursor(path: Path, value: unknown): Cursor {
    const isThere = value !== undefined && value !== null;
    const name = showPath(path);
    const child = (key: string | number, inner: unknown) => {
      read.add(JSON.stringify([...path, key]));
      return cursor([...path, key], inner);
    };
    const fault = (expected: string): undefined => {
      const shown = isThere ? { value: /(^|\.)headers\./.test(name) ? '***' : showValue(name, value) } : {};
      faults.push({ place: document.placeOf(path), path: name === '' ? 'file' : name, ...shown, expected });
    };
    return {
      ...{ path, name, value, isThere, fault },
      // Asked for only where something is told: in a large file it takes its time.
      get place() {
        return document.placeOf(path);
      },
      ...containers({ value, isThere, fault, child, keyIn }),
      ...scalars({ written: document.asWritten(path, value), isThere, fault }),
    };
  }

  const unreadIn = (path: Path, value: unknown): readonly Cursor[] => {
    if (Array.isArray(value)) return value.flatMap((item, n) => unreadIn([...path, n], item));
    if (!isTree(value)) return [];
    return Object.entries(value).flatMap(([key, inner]) => {
      const own: Path = [...path, key];
      return read.has(JSON.stringify(own)) ? unreadIn(own, inner) : [cursor(own, inner)];
    });
  };
  const root = cursor([], document.root);
  return { file: document.file, root, faults, unread: () => unreadIn([], document.root) };
}

interface Held {
  readonly isThere: boolean;
  readonly fault: Cursor['fault'];
}

function containers(
  held: Held & {
    readonly value: unknown;
    readonly child: (key: string | number, inner: unknown) => Cursor;
    readonly keyIn: (tree: Readonly<Record<string, unknown>>, wanted: string) => string;
  },
): Pick<Cursor, 'at' | 'entries' | 'items'> {
  const { value, isThere, fault, child, keyIn } = held;
  let isTold = false;
  const tell = (expected: string) => {
    if (isThere && !isTold) fault(expected);
    isTold = true;
  };
  const tree = () => {
    if (isTree(value)) return value;
    tell('expected a map');
    return {};
  };
  return {
    at(wanted) {
      const map = tree();
      const key = keyIn(map, wanted);
      return child(key, Object.hasOwn(map, key) ? map[key] : undefined);
    },
    entries: () => Object.entries(tree()).map(([key, inner]) => [key, child(key, inner)] as const),
    items() {
      if (Array.isArray(value)) return value.map((item, n) => child(n, item));
      tell('expected a list');
      return [];
    },
  };
}

/** A single value as it is spelled; `undefined` for lists and maps. */
function spelled(written: unknown): string | undefined {
  if (typeof written === 'string') return written;
  return typeof written === 'number' || typeof written === 'boolean' ? String(written) : undefined;
}

type Scalars = Pick<Cursor, 'text' | 'needText' | 'number' | 'flag' | 'word' | 'address'>;

function scalars({ written, isThere, fault }: Held & { readonly written: unknown }): Scalars {
  const text = (): string | undefined => {
    if (!isThere) return undefined;
    const found = spelled(written)?.trim();
    if (found === undefined) return fault('expected text');
    if (/\p{Cc}/u.test(found)) return fault('expected text on one line');
    return found === '' ? undefined : found;
  };
  return {
    text,
    needText(expected) {
      const found = text();
      if (found === undefined && (!isThere || spelled(written)?.trim() === '')) fault(`missing: expected ${expected}`);
      return found ?? '';
    },
    number({ min, max, isWhole = false }) {
      const found = text();
      if (found === undefined) return undefined;
      const parsed = Number(found);
      const isFine = /^-?\d{1,15}(\.\d{1,15})?$/.test(found) && parsed >= min && parsed <= max;
      if (isFine && (!isWhole || Number.isInteger(parsed))) return parsed;
      return fault(`expected a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}`);
    },
    flag() {
      const found = text()?.toLowerCase();
      if (found === undefined) return undefined;
      return found === 'true' || found === 'false' ? found === 'true' : fault('expected true or false');
    },
    word(words) {
      const found = text()?.toLowerCase();
      if (found === undefined) return undefined;
      return words.find((one) => one.toLowerCase() === found) ?? fault(`expected one of ${words.join(', ')}`);
    },
    address() {
      const found = text();
      if (found === undefined) return undefined;
      return isIP(found) !== 0 && !found.includes('%') ? found : fault('expected an IP address');
    },
  };
}
