import { z } from 'zod';
import { type Secret, secret } from '../model/secret.ts';
import { leanEnvironment } from './run-program.ts';

/** What the system can hand to a program: everything but NUL (execve(2)). */
const text = z.string().regex(/^[^\0]*$/, 'expected text without the character NUL');

/** An executable of the operator's; relative to the configuration's folder. */
export const executable = text.min(1);

/** Options of everything that runs executables. */
export const programOptions = {
  /** What comes before the arguments that it always gets. */
  args: z.array(text).default([]),
  /** What it finds in its environment beside what it always finds there; the values are never shown. */
  env: z.record(text.regex(/^[^=]+$/, 'expected a name without "="'), text.transform(secret)).default({}),
};

/** The whole environment of a program: PATH, HOME and LANG, then `more`, then what the operator wants. */
export function environmentOf(
  env: Readonly<Record<string, Secret>>,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const own = Object.entries(env).map(([name, value]): [string, string] => [name, value.reveal()]);
  return { ...leanEnvironment(), ...more, ...Object.fromEntries(own) };
}
