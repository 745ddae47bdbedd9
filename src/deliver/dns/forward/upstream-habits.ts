/** What a server was found to do without. */
export interface Habits {
  hasEdns(now: number): boolean;
  keepsCase(now: number): boolean;
  /** After an answer: what had to be left out to get it. Instants are of the monotonic clock. */
  learn(lesson: { readonly didComplain: boolean; readonly didRespell: boolean }, now: number): void;
}

/** Servers change: after this time it is tried again. */
const habitMs = 600_000;

export function createHabits(): Habits {
  let withoutEdnsUntil = Number.NEGATIVE_INFINITY;
  let respellsUntil = Number.NEGATIVE_INFINITY;
  return {
    hasEdns: (now) => now >= withoutEdnsUntil,
    keepsCase: (now) => now >= respellsUntil,
    learn({ didComplain, didRespell }, now) {
      if (didComplain) withoutEdnsUntil = now + habitMs;
      if (didRespell) respellsUntil = now + habitMs;
    },
  };
}
