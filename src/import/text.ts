import { Document, isMap, isScalar, isSeq, type Node, type Pair, YAMLMap, YAMLSeq } from 'yaml';
import type { Tree } from '../config/tree.ts';
import type { Draft, Note } from './draft.ts';

const longestLine = 110;

/** How people read a configuration: what it is about, where it comes from, how it is judged, who gets it. */
const order: readonly string[] = [
  ...['services', 'dns', 'api', 'notify', 'store', 'cluster'],
  ...['name', 'domain', 'source', 'size', 'check', 'agents', 'vote', 'select', 'whenAllDown', 'switch', 'haproxy'],
];

/** The draft as a YAML file with comments. `heading`: lines that stand above everything. */
export function writeDraft({ tree, notes }: Pick<Draft, 'tree' | 'notes'>, heading: readonly string[]): string {
  const services: unknown = tree['services'];
  const ordered = { ...tree, ...(Array.isArray(services) ? { services: services.map(inOrder) } : {}) };
  const document = new Document(inOrder(ordered), { aliasDuplicateObjects: false });
  for (const note of notes) comment(document, note);
  if (isMap(document.contents)) {
    for (const pair of document.contents.items) flatten(pair.value, 1, pair);
    for (const pair of document.contents.items.slice(1)) (pair.key as Node).spaceBefore = true;
  }
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: true });
  return `${heading.map((line) => `# ${line}\n`).join('')}${text}`;
}

function inOrder(tree: Tree): Tree {
  const rank = ([key]: readonly [string, unknown]) => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.fromEntries(Object.entries(tree).sort((one, other) => rank(one) - rank(other)));
}

function comment(document: Document, { path, words }: Note): void {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  const lines = fold(words, longestLine - 2 * path.length)
    .map((line) => ` ${line}`)
    .join('\n');
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && key.value === last);
    if (pair !== undefined) (pair.key as Node).commentBefore = lines;
  } else if (isSeq(parent)) {
    const item = parent.items[Number(last)] as Node | undefined;
    if (item !== undefined) item.commentBefore = lines;
  }
}

function fold(words: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Writes small maps and lists on one line, from the inside to the outside. */
function flatten(node: unknown, depth: number, holder?: Pair): void {
  if (!(node instanceof YAMLMap) && !(node instanceof YAMLSeq)) return;
  const items: readonly unknown[] = node.items;
  const values = items.map((item) => (node instanceof YAMLMap ? (item as Pair).value : item));
  for (const [n, value] of values.entries()) {
    flatten(value, depth + 1, node instanceof YAMLMap ? (items[n] as Pair) : undefined);
  }
  const isSimple = (value: unknown) =>
    isScalar(value) || ((value instanceof YAMLMap || value instanceof YAMLSeq) && value.flow === true);
  const hasComment = items.some((item) => {
    const marked = (node instanceof YAMLMap ? (item as Pair).key : item) as Node;
    return marked.commentBefore !== undefined;
  });
  const isTop = depth === 1 && node instanceof YAMLMap;
  if (isTop || hasComment || !values.every(isSimple)) return;
  const key = holder === undefined ? 2 : String(holder.key).length + 2;
  if (JSON.stringify(node.toJSON()).length + 2 * items.length + 2 * depth + key <= longestLine) node.flow = true;
}
