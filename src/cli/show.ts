import type { ApiOptions } from './api-client.ts';
import { printable } from './plain-text.ts';

/** Options of every command that shows something. */
export interface ShowOptions {
  readonly json?: boolean;
}

/** A command that shows something, called as its own options and those of the program say. */
export type Show<Wanted> = (api: ApiOptions, wanted: Wanted, options: ShowOptions) => Promise<void>;

/** Prints an answer: as it came for programs, as text for people. */
export function print<Answer>({ json }: ShowOptions, answer: Answer, forPeople: (answer: Answer) => string): void {
  process.stdout.write(json ? `${JSON.stringify(answer, null, 2)}\n` : `${printable(forPeople(answer))}\n`);
}

/** An instant for people: `2026-11-21 18:30:40`, in UTC. */
export function instant(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}
