import { HsdoError } from '../model/error.ts';

/** What was answered last. */
export interface LastAnswer<T> {
  readonly value: T;
  /** False where it stands from before, since there is no answer now. */
  readonly isNew: boolean;
}

/**
 * A question whose last answer stands while it cannot be asked anew: whoever looks at a cluster whose store is away is not
 * told that there is nothing. `undefined`: there never was an answer.
 *
 * @param ask - Rejects with an HsdoError where there is no answer; anything else is a bug, and is thrown on.
 */
export function createLastAnswers<A, T>(
  ask: (about: A) => Promise<T>,
): (about: A) => Promise<LastAnswer<T> | undefined> {
  const kept = new Map<A, LastAnswer<T>>();
  return async (about) => {
    try {
      const value = await ask(about);
      kept.set(about, { value, isNew: false });
      return { value, isNew: true };
    } catch (error) {
      if (!(error instanceof HsdoError)) throw error;
      return kept.get(about);
    }
  };
}
