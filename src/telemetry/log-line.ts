/** What every line has, or has elsewhere. */
const apart = new Set(['level', 'time', 'pid', 'hostname', 'msg']);

/**
 * A log line for people: the message, and beside it what varies, as `target=web-1 reason="nobody listens on the port"`. It is one
 * line, whatever the values say, so that `grep` finds all of it, and no character of it moves a terminal's cursor.
 *
 * @param fields - The line as JSON has it.
 */
export function logLine(fields: Readonly<Record<string, unknown>>): string {
  const beside = Object.entries(fields).flatMap(([name, value]) =>
    apart.has(name) ? [] : [`${visible(name)}=${shown(value)}`],
  );
  return [visible(typeof fields['msg'] === 'string' ? fields['msg'] : ''), ...beside].join('  ');
}

function shown(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=\p{C}]+$/u.test(value)) return value;
  return visible(JSON.stringify(value));
}

const visible = (text: string) =>
  text.replaceAll(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
