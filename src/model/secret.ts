import { inspect } from 'node:util';

/** A value that must never be shown: every way of printing it gives `***`. */
export interface Secret {
  /** The value itself; call it only where it leaves for its destination. */
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

const mask = '***';

/** True for what {@link secret} made. */
export const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && 'reveal' in value && typeof value.reveal === 'function';

/** A text without these secrets, whole ones before those that are a part of another. */
export function withoutSecrets(text: string, secrets: readonly Secret[]): string {
  const values = secrets.map((one) => one.reveal()).filter((value) => value !== '');
  return values
    .toSorted((one, other) => other.length - one.length)
    .reduce((rest, value) => rest.replaceAll(value, mask), text);
}

export function secret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => mask,
    toJSON: () => mask,
    [inspect.custom]: () => mask,
  });
}
