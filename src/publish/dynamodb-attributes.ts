import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** An item as DynamoDB gives it; anybody may have written it. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export function numeric(value: number): AttributeValue.NMember {
  return { N: String(value) };
}

/** The text of a string attribute; `undefined` when it is missing or of another type. */
export function textOf(item: Attributes, name: string): string | undefined {
  const value = item[name]?.S;
  return typeof value === 'string' ? value : undefined;
}

/** The value of a number attribute; `undefined` when it is missing, of another type, or not within the bounds. */
export function numberOf(item: Attributes, name: string, min = -Infinity, max = Infinity): number | undefined {
  const text = item[name]?.N;
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  return Number.isFinite(value) && value >= min && value <= max ? value : undefined;
}
