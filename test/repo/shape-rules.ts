import { childrenOf, parse, type Syntax, type SyntaxNode, walk } from './syntax.ts';

export const longestFile = 250;
export const longestFunction = 40;

/** Functions that may be longer, with the reason. */
export const longFunctions: Readonly<Record<string, string>> = {
  'src/telemetry/metrics.ts createMetrics': 'it is the one list of metrics, a table in the form of code',
};

const emptyNames = ['utils', 'util', 'common', 'helpers', 'helper', 'manager', 'base', 'misc'];
const functionTypes = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'MethodProperty',
  'ClassMethod',
  'Constructor',
  'GetterProperty',
  'SetterProperty',
]);
const defaultExports = new Set(['ExportDefaultExpression', 'ExportDefaultDeclaration']);
const laterWords = new RegExp(
  `\\b(${['TO', 'FIX', 'XX', 'HA'].map((w, i) => w + ['DO', 'ME', 'X', 'CK'][i]).join('|')})\\b`,
);

function nameOf(node: SyntaxNode): string {
  const identifier = (node['identifier'] ?? node['key']) as { readonly value?: unknown } | undefined;
  return typeof identifier?.value === 'string' ? identifier.value : 'a function without a name';
}

function outermostFunctions(node: SyntaxNode): SyntaxNode[] {
  return childrenOf(node).flatMap((child) => (functionTypes.has(child.type) ? [child] : outermostFunctions(child)));
}

/** Lines of a function without the functions in it: those are counted on their own, so a factory is not their sum. */
function ownLines(syntax: Syntax, node: SyntaxNode): number {
  const count = (one: SyntaxNode) => syntax.lines(one).last - syntax.lines(one).first + 1;
  const inner = outermostFunctions(node).map((child) => Math.max(0, count(child) - 1));
  return count(node) - inner.reduce((sum, lines) => sum + lines, 0);
}

/** Functions longer than allowed; only in files where functions are code, not chapters of a test. */
export function functionFaults(file: string, text: string): string[] {
  const syntax = parse(text);
  return [...walk(syntax.program)]
    .filter((node) => functionTypes.has(node.type))
    .map((node) => ({ name: nameOf(node), first: syntax.lines(node).first, lines: ownLines(syntax, node) }))
    .filter(({ name, lines }) => lines > longestFunction && !(`${file} ${name}` in longFunctions))
    .map(({ name, first, lines }) => `${file}:${first}: ${name} has ${lines} lines, at most ${longestFunction}`);
}

function nodeFault(node: SyntaxNode): string | undefined {
  if (defaultExports.has(node.type)) return 'a default export';
  if (node.type === 'TsKeywordType' && node['kind'] === 'any') return 'the type any';
  if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression') {
    const parent = (node['superClass'] as { readonly value?: unknown } | null | undefined)?.value;
    return typeof parent === 'string' && parent.endsWith('Error') ? undefined : 'a class that is no error';
  }
  return undefined;
}

/** Constructs that hsdo does without, in any TypeScript or JavaScript file. */
export function constructFaults(file: string, text: string): string[] {
  const syntax = parse(text);
  return [...walk(syntax.program)].flatMap((node) => {
    const fault = nodeFault(node);
    return fault === undefined ? [] : [`${file}:${syntax.lines(node).first}: ${fault}`];
  });
}

function memberOf(node: SyntaxNode): string {
  const [object, property] = [node['object'], node['property']] as { readonly value?: unknown }[];
  return `${String(object?.value)}.${String(property?.value)}`;
}

/** Uses of the machine's clocks and timers, which belong to src/time alone. */
export function clockFaults(file: string, text: string): string[] {
  const syntax = parse(text);
  return [...walk(syntax.program)].flatMap((node) => {
    const callee = (node['callee'] as { readonly value?: unknown } | undefined)?.value;
    const isTimer = node.type === 'CallExpression' && (callee === 'setTimeout' || callee === 'setInterval');
    const isClock = node.type === 'MemberExpression' && ['Date.now', 'performance.now'].includes(memberOf(node));
    return isTimer || isClock ? [`${file}:${syntax.lines(node).first}: a clock of its own`] : [];
  });
}

/** What a file's path and bare text must not be. */
export function textFaults(file: string, text: string): string[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const names = file.split('/').map((part) => part.split('.')[0] ?? part);
  return [
    ...(lines > longestFile ? [`${file} has ${lines} lines, at most ${longestFile}`] : []),
    ...names.filter((name) => emptyNames.includes(name)).map((name) => `${file}: "${name}" says nothing`),
    ...text
      .split('\n')
      .flatMap((line, index) => (laterWords.test(line) ? [`${file}:${index + 1}: left for later`] : [])),
  ];
}
