import Table from 'cli-table3';
import { fitWidths, widthOf, wrapAt } from './fit.ts';
import { paints } from './paint.ts';
import { oneLine } from './plain-text.ts';

const gap = '  ';
const parts =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid';
/** No borders. */
const nothing = Object.fromEntries(parts.split(' ').map((part) => [part, '']));

/**
 * A plain table for people: no borders, two spaces between columns, so that it survives copying. On a terminal it is no
 * wider than that, where it can be: long cells go on in the next line. In a pipe every row is one line, whatever the cells say.
 */
export function showTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  output: { readonly isTTY?: boolean; readonly columns?: number } = process.stdout,
): string {
  const columns = output.isTTY === true ? (output.columns ?? 80) : Number.POSITIVE_INFINITY;
  const texts = rows.map((row) => row.map((cell) => oneLine(String(cell))));
  const natural = head.map((name, n) => Math.max(widthOf(name), ...texts.map((row) => widthOf(row[n] ?? ''))));
  const widths = fitWidths(natural, columns - gap.length * (head.length - 1));
  const fitted = (row: readonly string[]) => row.map((text, n) => wrapAt(text, widths[n] ?? widthOf(text)));
  const { dim } = paints(output);
  const table = new Table({
    head: fitted(head).map((name) => dim(name)),
    chars: { ...nothing, middle: gap },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of texts) table.push(fitted(row));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** How long ago, as part of a sentence: `3 s ago`, `never`. */
export const agoInWords = (at: number | undefined, now: number): string =>
  at === undefined ? 'never' : `${ago(at, now)} ago`;

/** How long ago, in the largest fitting unit: `3 s`, `12 min`. */
export function ago(at: number | undefined, now: number): string {
  if (at === undefined) return 'never';
  const seconds = Math.max(0, (now - at) / 1000);
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
