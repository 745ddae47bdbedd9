import { parseSync } from '@swc/core';

/** A node of swc's tree, as far as the rules here look at it. */
export interface SyntaxNode {
  readonly type: string;
  readonly span?: { readonly start: number; readonly end: number };
  readonly [field: string]: unknown;
}

export interface Syntax {
  readonly program: SyntaxNode;
  /** First and last line of a node, counted from 1. */
  lines(node: SyntaxNode): { readonly first: number; readonly last: number };
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

/** The nodes right below a node; arguments and the like lie in plain wrappers, which are looked through. */
export function childrenOf(node: object): SyntaxNode[] {
  return Object.values(node).flatMap((value: unknown) => {
    if (isNode(value)) return [value];
    if (Array.isArray(value)) return value.flatMap((one: unknown) => (isNode(one) ? [one] : wrapped(one)));
    return wrapped(value);
  });
}

function wrapped(value: unknown): SyntaxNode[] {
  return typeof value === 'object' && value !== null ? childrenOf(value) : [];
}

/** A node and everything below it. */
export function* walk(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const child of childrenOf(node)) yield* walk(child);
}

/** Parses TypeScript or JavaScript; a line for the shell at the top is read as a comment. */
export function parse(text: string): Syntax {
  // swc counts bytes on from one parse to the next; a token at the very start shows where this one begins.
  const bytes = Buffer.from(`;${text.replace(/^#!/, '//')}`);
  const program: unknown = parseSync(bytes.toString(), { syntax: 'typescript', target: 'es2022' });
  if (!isNode(program)) throw new Error('swc gave no tree');
  const base = program.span?.start ?? 0;
  const lineAt = (offset: number) => {
    let line = 1;
    for (let at = 0; at < offset - base && at < bytes.length; at += 1) if (bytes[at] === 10) line += 1;
    return line;
  };
  return {
    program,
    lines: ({ span }) => ({ first: lineAt(span?.start ?? base), last: lineAt((span?.end ?? base + 1) - 1) }),
  };
}
