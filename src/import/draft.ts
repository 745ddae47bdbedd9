import type { Origin } from '../config/assemble.ts';
import { type Path, showPath } from '../config/document.ts';
import type { Cursor } from './reading.ts';
import type { Entry, Variable } from './report.ts';

/** What becomes of a predecessor's configuration, while it is made. */
export interface Draft {
  /** Writes a value of ours. `from`: where it comes from, told as taken over if anything stands there. */
  put(path: Path, value: unknown, from?: Cursor): void;
  /** Tells where what is written at a path, or below it, comes from. */
  origin(path: Path, from: Cursor): void;
  /** Writes a secret as the variable that will hold it; equal ones that mean the same share it. */
  secret(path: Path, variable: string, from: Cursor): void;
  /** A secret that the old file does not have and ours needs; the name of its variable. */
  newSecret(path: Path, variable: string, from: Cursor): string;
  /** A comment above what stands at the path. */
  note(path: Path, words: string): void;
  /** Tells that hsdo does it otherwise. */
  differs(from: Cursor | undefined, words: string): void;
  /** Tells what was not taken over, and what to do instead. `isOpen`: somebody has to decide something. */
  left(from: Cursor | undefined, words: string, isOpen?: boolean): void;
  readonly tree: Readonly<Record<string, unknown>>;
  readonly notes: readonly Note[];
  readonly entries: readonly Entry[];
  readonly variables: readonly Variable[];
  /** Where the value at a path of ours came from: its own place, or that of the nearest thing around it. */
  originOf(path: Path): Origin;
}

export interface Note {
  readonly path: Path;
  readonly words: string;
}

/** Stands in for a secret that nobody has chosen yet, while the result is checked. */
const chosenLater = 'chosen-by-you';

interface Branch {
  [key: string | number]: unknown;
}

/** Keys may be a user's own words, of which some mean something to an ordinary object. */
const emptyBranch = () => Object.create(null) as Branch;

/** `file`: what the predecessor's configuration is called in messages. */
export function createDraft(file: string): Draft {
  const tree = emptyBranch();
  const notes: Note[] = [];
  const entries: Entry[] = [];
  const variables: Variable[] = [];
  const origins = new Map<string, Origin>();
  /** Where in the entries a parameter stands that was taken over. */
  const taken = new Map<string, number>();
  /** By what is meant and the secret: the name of its variable. */
  const named = new Map<string, string>();

  function put(path: Path, value: unknown, from?: Cursor): void {
    let branch = tree;
    for (const [depth, key] of path.slice(0, -1).entries()) {
      branch[key] ??= typeof path[depth + 1] === 'number' ? [] : emptyBranch();
      branch = branch[key] as Branch;
    }
    branch[path.at(-1) ?? ''] = value;
    if (from !== undefined) origin(path, from);
  }

  function origin(path: Path, from: Cursor): void {
    origins.set(showPath(path), { place: from.place, name: from.name });
    if (!from.isThere) return;
    const at = taken.get(from.name) ?? entries.length;
    const to = [...new Set([...(entries[at]?.to?.split(', ') ?? []), showPath(path)])].join(', ');
    taken.set(from.name, at);
    entries[at] = { kind: 'taken', place: from.place, from: from.name, to };
  }

  function variableFor(wanted: string, value: string, { place, name: from }: Pick<Cursor, 'place' | 'name'>): string {
    const known = named.get(JSON.stringify([wanted, value]));
    if (known !== undefined) return known;
    let name = wanted;
    for (let n = 2; variables.some((other) => other.name === name); n += 1) name = `${wanted}_${n}`;
    named.set(JSON.stringify([wanted, value]), name);
    variables.push({ name, value, place, from });
    return name;
  }

  const tell = (kind: 'differs' | 'left', from: Cursor | undefined, words: string, isOpen = false) => {
    const place = { place: from?.place ?? file, from: from?.name ?? '' };
    entries.push({ kind, ...place, words, ...(isOpen ? { isOpen } : {}) });
  };
  return {
    ...{ put, origin, tree, notes, entries, variables },
    secret(path, wanted, from) {
      const value = from.text();
      if (value !== undefined) put(path, { env: variableFor(wanted, value, from) }, from);
    },
    newSecret(path, wanted, { place }) {
      const name = variableFor(wanted, chosenLater, { place, name: 'a new one, which you choose' });
      put(path, { env: name });
      return name;
    },
    note: (path, words) => notes.push({ path, words }),
    differs: (from, words) => tell('differs', from, words),
    left: (from, words, isOpen) => tell('left', from, words, isOpen),
    originOf(path) {
      for (let depth = path.length; depth > 0; depth -= 1) {
        const found = origins.get(showPath(path.slice(0, depth)));
        if (found !== undefined) return found;
      }
      return { place: file, name: showPath(path) };
    },
  };
}
