import { stripVTControlCharacters } from 'node:util';

/** No column is made narrower than this for the sake of others. */
const leastWidth = 8;

/** How many columns a text takes on a terminal: of its longest line, without colours. */
export const widthOf = (text: string): number =>
  Math.max(
    0,
    ...stripVTControlCharacters(text)
      .split('\n')
      .map((line) => line.length),
  );

/**
 * Widths of columns that fit into `room` characters: the widest give way first, down to eight characters each. Where even
 * that is too much everything stays as it is, and the terminal breaks the lines.
 */
export function fitWidths(widths: readonly number[], room: number): readonly number[] {
  const sumAt = (limit: number) => widths.reduce((sum, width) => sum + Math.min(width, limit), 0);
  if (sumAt(Number.POSITIVE_INFINITY) <= room || sumAt(leastWidth) > room) return widths;
  let limit = Math.max(...widths);
  while (sumAt(limit) > room) limit -= 1;
  return widths.map((width) => Math.min(width, limit));
}

/** Breaks a text at spaces into lines of at most `width` characters; a longer word is broken where the line ends. */
export function wrapAt(text: string, width: number): string {
  // What is painted is a short word; breaking it would break its colour.
  if (widthOf(text) <= width || text !== stripVTControlCharacters(text)) return text;
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else for (let at = 0; at === 0 || at < word.length; at += width) lines.push(word.slice(at, at + width));
  }
  return lines.join('\n');
}
