const longest = 80;

/** Any text as one short line that is safe on a terminal, in a log and in JSON: printable ASCII, at most 80 characters. */
export function printable(text: string): string {
  const line = text.slice(0, longest + 1).replace(/[^\x20-\x7e]/g, '?');
  return line.length > longest ? `${line.slice(0, longest - 3)}...` : line;
}

/** Any value for the eyes of a person: texts in quotes, numbers bare, all else by its type. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return `"${printable(value)}"`;
  if (value === null || ['number', 'boolean', 'bigint', 'undefined'].includes(typeof value)) return String(value);
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

/** What a person calls a target: its name, with its id where that is another one. */
export function called(name: unknown, id: unknown): string | undefined {
  const texts = [name, id].filter((text) => typeof text === 'number' || (typeof text === 'string' && text !== ''));
  const [first, second = first] = texts.map(String);
  return first === undefined ? undefined : printable(first === second ? first : `${first} (${second})`);
}
