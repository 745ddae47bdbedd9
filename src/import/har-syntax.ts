import { type Document, type Path, showPath } from '../config/document.ts';
import { type Fault, showValue } from '../config/fault.ts';
import type { Tree } from '../config/tree.ts';

/** Sections with a title become lists of maps: `name a { .. }` is one of `name`, with `title: a`. */
const sectionIn: Readonly<Record<string, string | undefined>> = { '': 'name', name: 'candidate' };

interface Token {
  /** A word or a text in quotes, one of the signs `{ } = ,` and `+=`, or the end of the file. */
  readonly kind: 'text' | 'sign' | 'end';
  readonly value: string;
  readonly offset: number;
}

type Fail = (offset: number, expected: string, value?: string) => void;

/**
 * Reads har's configuration, in the syntax of libconfuse (its manual, chapter "Configuration file syntax"; har.c for what
 * is a list and what a section): comments with `#`, `//` and slash-star, words, texts in either kind of quotes. What is wrong
 * becomes one fault with its line, never an exception; nothing after it is believed.
 */
export function parseHar(file: string, source: string): Document {
  const faults: Fault[] = [];
  const places = new Map<string, number>();
  const starts = [0, ...Array.from(source.matchAll(/\n/g), ({ index }) => index + 1)];
  const lineAt = (offset: number) => `${file}:${countUpTo(starts, offset)}`;
  const fail: Fail = (offset, expected, value) => {
    const shown = value === undefined ? {} : { value: showValue('har.conf', value) };
    if (faults.length === 0) faults.push({ place: lineAt(offset), path: 'har.conf', ...shown, expected });
  };
  const tokens = tokensOf(source, fail);
  const root = faults.length > 0 ? {} : parseTokens(tokens, places, fail);
  const placeOf = (path: Path) => {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const offset = places.get(showPath(path.slice(0, depth)));
      if (offset !== undefined) return lineAt(offset);
    }
    return file;
  };
  return { file, root: faults.length > 0 ? {} : root, faults, placeOf, asWritten: (_, value) => value };
}

/** How many of the sorted numbers are at most `limit`. */
function countUpTo(sorted: readonly number[], limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

const blank = /[ \t\r\n\f\v]+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const sign = /\+=|[{}=,]/y;
const word = /[^\s"'{}=,()+#\\]+/y;
const quoted = /"([^"\\]*(?:\\[\s\S][^"\\]*)*)"|'([^'\\]*(?:\\[\s\S][^'\\]*)*)'/y;

function tokensOf(source: string, fail: Fail): readonly Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = offset;
    const found = pattern.exec(source);
    if (found !== null) offset += found[0].length;
    return found;
  };
  while (offset < source.length) {
    const start = offset;
    if (source.startsWith('/*', start) && !source.includes('*/', start + 2)) {
      fail(start, 'expected */ at the end of this comment');
      break;
    }
    if (take(blank) !== null) continue;
    const signed = take(sign)?.[0];
    const text = signed ?? take(word)?.[0] ?? textIn(take(quoted), start, fail);
    if (text === undefined) {
      const isOpen = source[start] === '"' || source[start] === "'";
      fail(
        start,
        isOpen
          ? 'expected the same quote at the end of this text'
          : `expected no ${JSON.stringify(source[start])} here`,
      );
      break;
    }
    tokens.push({ kind: signed === undefined ? 'text' : 'sign', value: text, offset: start });
  }
  return [...tokens, { kind: 'end', value: 'the end of the file', offset: source.length }];
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  a: '\u0007',
  e: '\u001b',
  '\n': '',
};

/** Within double quotes `\n` and others mean something, and `${NAME}` what har's environment held, which nobody knows here. */
function textIn(found: RegExpExecArray | null, offset: number, fail: Fail): string | undefined {
  if (found === null) return undefined;
  const [, double, single = ''] = found;
  if (double === undefined) return single.replaceAll(/\\([\\'\n])/g, (_, sign: string) => (sign === '\n' ? '' : sign));
  if (/\$\{/.test(double))
    fail(offset, 'expected the value itself: what the environment of har holds is not known here', double);
  return double.replaceAll(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[\s\S])/g, (_, code: string) => {
    if (/^x./.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    return escapes[code] ?? code;
  });
}

function parseTokens(tokens: readonly Token[], places: Map<string, number>, fail: Fail): Tree {
  const end = tokens.at(-1) as Token;
  const titles = new Set<string>();
  let at = 0;
  /** After a fault everything is the end, so that every loop ends, too. */
  const stop = (token: Token, expected: string) => {
    fail(token.offset, expected, token.value);
    at = tokens.length;
  };
  const next = () => tokens[at++] ?? end;
  const peek = () => tokens[at] ?? end;
  const isSign = (token: Token, value: string) => token.kind === 'sign' && token.value === value;

  function wordOf(): string {
    const token = next();
    if (token.kind !== 'text') stop(token, 'expected a value');
    return token.value;
  }
  function listOf(): readonly string[] {
    next();
    const values: string[] = [];
    while (peek().kind === 'text') {
      values.push(next().value);
      if (!isSign(peek(), ',')) break;
      next();
    }
    const last = next();
    if (!isSign(last, '}')) stop(last, 'expected } at the end of the list');
    return values;
  }
  function sectionOf(kind: string, path: Path, into: Map<string, unknown>): void {
    const title = next();
    const brace = next();
    if (title.kind !== 'text' || !isSign(brace, '{')) {
      stop(title, `expected ${kind} TITLE { ... }`);
      return;
    }
    const all = (into.get(kind) ?? []) as Tree[];
    const full = JSON.stringify([path, kind, title.value]);
    if (titles.has(full)) {
      stop(title, `expected each ${kind} once`);
      return;
    }
    titles.add(full);
    const own: Path = [...path, kind, all.length];
    places.set(showPath(own), title.offset);
    all.push({ ...bodyOf(own, kind), title: title.value });
    into.set(kind, all);
  }
  function bodyOf(path: Path, kind: string): Tree {
    const found = new Map<string, unknown>();
    for (;;) {
      const token = next();
      const isEnd = kind === '' ? token.kind === 'end' : isSign(token, '}');
      if (isEnd || at > tokens.length) break;
      if (token.kind !== 'text') {
        stop(token, kind === '' ? 'expected the name of an option' : `expected an option, or } at the end of ${kind}`);
      } else if (token.value === sectionIn[kind]) {
        sectionOf(token.value, path, found);
      } else {
        places.set(showPath([...path, token.value]), token.offset);
        const equals = next();
        const isMore = isSign(equals, '+=');
        if (!isMore && !isSign(equals, '=')) stop(token, `expected OPTION = VALUE, or a section that stands here`);
        const value = isSign(peek(), '{') ? listOf() : wordOf();
        const before = isMore ? [found.get(token.value) ?? []].flat() : [];
        found.set(token.value, isMore ? [...before, ...[value].flat()] : value);
      }
    }
    return Object.fromEntries(found);
  }
  return bodyOf([], '');
}
