import { parser } from '@prometheus-io/lezer-promql';
import { createMetrics } from '../../src/telemetry/metrics.ts';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** What Prometheus itself adds to every series, and the metric that it makes of every target. */
const scraped = ['job', 'instance'];
const made: Readonly<Record<string, readonly string[]>> = { up: scraped };

/** Labels of every series that hsdo exports, by its name; of a histogram those of its three. */
export function knownSeries(): ReadonlyMap<string, readonly string[]> {
  const series = new Map<string, readonly string[]>(Object.entries(made));
  for (const metric of createMetrics().registry.getMetricsAsArray()) {
    const {
      name,
      type,
      labelNames = [],
    } = metric as unknown as {
      readonly name: string;
      readonly type?: string;
      readonly labelNames?: readonly string[];
    };
    const labels = [...labelNames, ...scraped];
    // The counted histogram says its type only when it is asked for its values.
    const isHistogram = 'buckets' in metric || !('labelNames' in metric) || type === 'histogram';
    if (!isHistogram) series.set(name, labels);
    else {
      series.set(`${name}_bucket`, [...labels, 'le']);
      for (const suffix of ['sum', 'count']) series.set(`${name}_${suffix}`, labels);
    }
  }
  return series;
}

/** A value that a label is compared with. */
export interface Matched {
  readonly label: string;
  readonly value: string;
}

export interface Query {
  /** What is not right, each a sentence; empty for a query that asks for what hsdo exports. */
  readonly faults: readonly string[];
  /** Labels of the series that come out: what a legend or an annotation may name. */
  readonly labels: readonly string[];
  readonly matched: readonly Matched[];
}

const childrenOf = (node: SyntaxNode): readonly SyntaxNode[] => {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
};
const all = (node: SyntaxNode, name: string): readonly SyntaxNode[] => [
  ...(node.name === name ? [node] : []),
  ...childrenOf(node).flatMap((child) => all(child, name)),
];

/** Reads a query by Prometheus' own grammar and holds its names against `series`. */
export function readQuery(text: string, series: ReadonlyMap<string, readonly string[]>): Query {
  const tree = parser.parse(text).topNode;
  const textOf = (node: SyntaxNode) => text.slice(node.from, node.to);
  const labelsIn = (node: SyntaxNode | null | undefined) => (node ? all(node, 'LabelName').map(textOf) : []);
  const faults: string[] = all(tree, '⚠').map(
    ({ from }) => `it cannot be read from "${text.slice(from, from + 20)}" on`,
  );
  const matched: Matched[] = [];
  const grouped = new Set<string>(all(tree, 'GroupingLabels').flatMap(labelsIn));
  const known = new Set<string>();
  for (const selector of all(tree, 'VectorSelector')) {
    const name = textOf(selector).split('{', 1)[0] ?? '';
    const labels = series.get(name);
    if (labels === undefined) faults.push(`hsdo exports no ${name}`);
    for (const label of labels ?? []) known.add(label);
    for (const matcher of all(selector, 'UnquotedLabelMatcher')) {
      const [label = ''] = labelsIn(matcher);
      const value = all(matcher, 'StringLiteral').map((node) => JSON.parse(textOf(node)) as string)[0] ?? '';
      matched.push({ label, value });
      if (labels?.includes(label) === false) faults.push(`${name} has no label ${label}`);
    }
  }
  for (const label of grouped) if (!known.has(label)) faults.push(`nothing in it has a label ${label}`);

  /** Labels that come out of an expression; of two sides those of the left. */
  function labelsOf(node: SyntaxNode): readonly string[] {
    if (node.name === 'VectorSelector') return series.get(textOf(node).split('{', 1)[0] ?? '') ?? [];
    const children = childrenOf(node).filter(({ name }) => !['AggregateOp', 'FunctionIdentifier'].includes(name));
    const modifier = children.find(({ name }) => name === 'AggregateModifier');
    const inner = children.filter((child) => child !== modifier).map(labelsOf);
    const found = inner.find((labels) => labels.length > 0) ?? [];
    if (node.name === 'FunctionCall' && textOf(node).startsWith('histogram_quantile'))
      return found.filter((label) => label !== 'le');
    if (node.name !== 'AggregateExpr') return found;
    if (modifier === undefined) return [];
    const named = labelsIn(modifier);
    return textOf(modifier).startsWith('by') ? named : found.filter((label) => !named.includes(label));
  }
  return { faults, labels: labelsOf(tree), matched };
}
