import { isSecret } from '../model/secret.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Compares values as a configuration has them; secrets by what they hold, which no other way of looking at them shows. */
export function isSameSetting(one: unknown, other: unknown): boolean {
  if (!isObject(one) || !isObject(other)) return one === other;
  if (isSecret(one) || isSecret(other)) return isSecret(one) && isSecret(other) && one.reveal() === other.reveal();
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Array.isArray(one) === Array.isArray(other) && [...keys].every((key) => isSameSetting(one[key], other[key]));
}
