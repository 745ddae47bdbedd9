/** Counters over the last second, as numbers per second. */
export interface Rates {
  /** Takes the counters as they are at `atMs`. */
  sample(atMs: number, counters: ReadonlyMap<string, number>): void;
  /** Growth of one counter per second, rounded; 0 before there are two samples. */
  of(name: string): number;
}

const windowMs = 1000;

export function createRates(): Rates {
  const samples: { readonly atMs: number; readonly counters: ReadonlyMap<string, number> }[] = [];
  return {
    sample(atMs, counters) {
      samples.push({ atMs, counters });
      while ((samples[1]?.atMs ?? atMs) <= atMs - windowMs) samples.shift();
    },
    of(name) {
      const [first, last] = [samples[0], samples.at(-1)];
      if (!first || !last || last.atMs <= first.atMs) return 0;
      const growth = (last.counters.get(name) ?? 0) - (first.counters.get(name) ?? 0);
      return Math.round((growth * 1000) / (last.atMs - first.atMs));
    },
  };
}
