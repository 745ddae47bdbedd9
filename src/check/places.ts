/** The right to run one probe. */
export interface Place {
  readonly takenAt: number;
  /** False once it waits so patiently that it does not keep others from beginning. */
  isFresh: boolean;
}

/** Bounds how many probes run at once. All instants are milliseconds on one clock that never jumps. */
export interface Places {
  /** A place, or undefined while there is none. */
  take(now: number): Place | undefined;
  release(place: Place): void;
  /** When time alone makes room; Infinity when only a release can. -Infinity: there is room. */
  roomAt(now: number): number;
  taken(): number;
}

/**
 * At most `concurrency` probes that began within the last `patienceMs`, and `maxRunning` in all. Two bounds, because
 * they guard against different things: many that begin together block the process, whereas one that has waited for
 * long costs a socket and nothing else. With a single bound a zone that swallows packets would fill all places for
 * a time-out each, and the targets that are well would no longer be asked just then.
 */
export function createPlaces(options: {
  readonly concurrency: number;
  readonly maxRunning: number;
  readonly patienceMs: number;
}): Places {
  const { concurrency, maxRunning, patienceMs } = options;
  /** In order of their beginning; those released meanwhile leave when they come to the front. */
  const begun: Place[] = [];
  let [fresh, taken] = [0, 0];

  function age(now: number): void {
    for (let place = begun[0]; place !== undefined; place = begun[0]) {
      if (place.isFresh && place.takenAt + patienceMs > now) return;
      if (place.isFresh) fresh -= 1;
      place.isFresh = false;
      begun.shift();
    }
  }

  return {
    take(now) {
      age(now);
      if (taken >= maxRunning || fresh >= concurrency) return undefined;
      const place = { takenAt: now, isFresh: true };
      begun.push(place);
      taken += 1;
      fresh += 1;
      return place;
    },
    release(place) {
      taken -= 1;
      if (place.isFresh) fresh -= 1;
      place.isFresh = false;
    },
    roomAt(now) {
      age(now);
      if (taken >= maxRunning) return Number.POSITIVE_INFINITY;
      return fresh < concurrency ? Number.NEGATIVE_INFINITY : (begun[0]?.takenAt ?? now) + patienceMs;
    },
    taken: () => taken,
  };
}
