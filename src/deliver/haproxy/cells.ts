/** The cells of one line of a table, read where they stand: a thousand lines are read at every look, most of them for a few numbers. */
export interface Cells {
  /** Takes the first `width` cells of a line in hand. */
  take(line: string, width: number): void;
  /** The cell as text; empty when the line ends before it. */
  text(column: number): string;
  is(column: number, text: string): boolean;
  /** The cell as a decimal number without sign and leading zeros, as HAProxy prints it; -1 for everything else. */
  number(column: number): number;
}

const zero = 0x30;
/** A number of more digits is none that HAProxy prints in a column that hsdo reads. */
const mostDigits = 10;

/** One reader is used for line after line. */
export function createCells(): Cells {
  let line = '';
  let count = 0;
  /** Where each cell begins; the one after the last begins behind the space that ends it. */
  const starts: number[] = [];
  const start = (column: number) => starts[column] ?? 0;
  const end = (column: number) => start(column + 1) - 1;
  return {
    take(next, width) {
      line = next;
      count = 0;
      let at = 0;
      while (count < width && at <= line.length) {
        starts[count] = at;
        const gap = line.indexOf(' ', at);
        at = (gap < 0 ? line.length : gap) + 1;
        count += 1;
      }
      starts[count] = at;
    },
    text: (column) => (column < count ? line.slice(start(column), end(column)) : ''),
    is: (column, text) =>
      column < count && end(column) - start(column) === text.length && line.startsWith(text, start(column)),
    number(column) {
      const [from, to] = [start(column), end(column)];
      if (column >= count || to <= from || to - from > mostDigits) return -1;
      if (line.charCodeAt(from) === zero && to - from > 1) return -1;
      let value = 0;
      for (let at = from; at < to; at += 1) {
        const digit = line.charCodeAt(at) - zero;
        if (digit < 0 || digit > 9) return -1;
        value = value * 10 + digit;
      }
      return value;
    },
  };
}
