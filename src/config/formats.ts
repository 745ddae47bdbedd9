/**
 * Strict readings of one parameter's value, as text from the environment or as a YAML scalar. Convict's own
 * formats take `"no"` for true and `"12abc"` for 12, so none of them is used.
 */
export interface Format {
  /** What a person should have written. */
  readonly expected: string;
  /** The parsed value, or `undefined` when it does not fit. */
  parse(value: unknown): unknown;
}

const asText = (value: unknown) => (typeof value === 'string' ? value.trim() : undefined);

function number(expected: string, pattern: RegExp, isFine: (value: number) => boolean): Format {
  return {
    expected,
    parse(value) {
      const text = typeof value === 'number' ? String(value) : asText(value);
      if (text === undefined || !pattern.test(text)) return undefined;
      const parsed = Number(text);
      return isFine(parsed) ? parsed : undefined;
    },
  };
}

export function integer(min: number, max: number): Format {
  return number(
    `expected a whole number from ${min} to ${max}`,
    /^-?\d{1,15}$/,
    (value) => value >= min && value <= max,
  );
}

export function decimal(min: number, max: number): Format {
  return number(
    `expected a number from ${min} to ${max}`,
    /^-?\d{1,12}(\.\d{1,6})?$/,
    (value) => value >= min && value <= max,
  );
}

/** Whole or fractional seconds, more than zero. */
export const seconds = decimal(0.01, 86_400 * 365);

export const boolean: Format = {
  expected: 'expected true or false',
  parse(value) {
    if (typeof value === 'boolean') return value;
    const text = asText(value)?.toLowerCase();
    return text === 'true' ? true : text === 'false' ? false : undefined;
  },
};

/** Text without control characters; numbers are taken as written, since YAML reads an unquoted 123 as one. */
export const text: Format = {
  expected: 'expected text on one line',
  parse(value) {
    const written = typeof value === 'number' ? String(value) : asText(value);
    return written !== undefined && written.length > 0 && !/\p{Cc}/u.test(written) ? written : undefined;
  },
};

/** Names separated by comma, or a YAML list. */
export const names: Format = {
  expected: 'expected names separated by commas',
  parse(value) {
    const parts = Array.isArray(value)
      ? value.map((part) => text.parse(part))
      : asText(value)
          ?.split(',')
          .map((part) => part.trim());
    if (parts === undefined || parts.length === 0) return undefined;
    return parts.every((part) => typeof part === 'string' && part.length > 0) ? parts : undefined;
  },
};

export function oneOf(...words: readonly string[]): Format {
  return {
    expected: `expected one of ${words.join(', ')}`,
    parse: (value) => words.find((word) => word === asText(value)),
  };
}

/** Upstream HSDO's `backend: {baseName, serverPort}` map; its content is judged with the service that it becomes. */
export const mapping: Format = {
  expected: 'expected a map of backend name to {baseName, serverPort}',
  parse(value) {
    const parsed = typeof value === 'string' ? parseJson(value) : value;
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  },
};

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}
