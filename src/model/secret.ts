import { inspect } from 'node:util';

/** A value that must never be shown: every way of printing it gives `***`. */
export interface Secret {
  /** The value itself; call it only where it leaves for its destination. */
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

const mask = '***';

export function secret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => mask,
    toJSON: () => mask,
    [inspect.custom]: () => mask,
  });
}
