/** What HSDO writes into a free slot in place of a time. */
export const noTime = '0-0-0 00:00:00.000000';

const shape = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/;

/**
 * A time as Python's `str(datetime)` shows it, without zone, taken as UTC: `2020-11-12 17:29:08.597000`. The six digits
 * are always there, also where Python would leave out a fraction of zero; `fromisoformat` reads both.
 */
export function formatPythonTime(at: number): string {
  const text = new Date(Math.max(0, Math.min(at, Date.UTC(9999, 11, 31)))).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 23)}000`;
}

/** Wall-clock milliseconds of such a text; `undefined` for any other text and for days that do not exist. */
export function parsePythonTime(text: string): number | undefined {
  const match = shape.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const fractionMs = Math.floor(Number((match[7] ?? '').padEnd(6, '0')) / 1000);
  const at = Date.UTC(year, month - 1, day, hour, minute, second, fractionMs);
  const isReal = formatPythonTime(at).startsWith(
    `${match[1]}-${match[2]}-${match[3]} ${match[4]}:${match[5]}:${match[6]}`,
  );
  return isReal ? at : undefined;
}
