import { type Figure, figure, percentile, type Ratio, summarize } from './figures.ts';

/** What one run took: time on the wall, and time of this process on a processor. */
export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** One way to do the work. */
export interface Contestant {
  /** Brings everything to where each run of it starts; not measured. */
  readonly prepare?: () => Promise<void>;
  readonly run: () => Promise<unknown>;
  /** Proves that the run did the work; not measured. */
  readonly verify?: () => Promise<void>;
  /** Runs in each round; default 1. */
  readonly times?: number;
}

/** The costs of every contestant, round by round. */
export type Results<Name extends string> = Readonly<Record<Name, readonly (readonly Cost[])[]>>;

export async function costOf(run: () => Promise<unknown>): Promise<Cost> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await run();
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

async function turn({ prepare, run, verify }: Contestant): Promise<Cost> {
  await prepare?.();
  const cost = await costOf(run);
  await verify?.();
  return cost;
}

/**
 * Lets every contestant have its turns in each round, in an order drawn anew, so that what else happens on the machine
 * strikes all of them alike. Some rounds before, which do not count, warm everything up.
 */
export async function contest<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  options: { readonly rounds: number; readonly warmUps: number },
): Promise<Results<Name>> {
  const names = Object.keys(contestants) as Name[];
  const turns = names.flatMap((name) => Array.from({ length: contestants[name].times ?? 1 }, () => name));
  const results = Object.fromEntries(names.map((name) => [name, [] as Cost[][]])) as Record<Name, Cost[][]>;
  for (let round = -options.warmUps; round < options.rounds; round += 1) {
    if (round >= 0) for (const name of names) results[name].push([]);
    for (const name of shuffled(turns)) {
      const cost = await turn(contestants[name]);
      if (round >= 0) results[name].at(-1)?.push(cost);
    }
  }
  return results;
}

/** Wall and processor time of one contestant, over all of its runs. */
export function figuresOf(label: string, rounds: readonly (readonly Cost[])[]): Figure[] {
  return [
    figure(
      `${label}: wall`,
      'ms',
      rounds.flat().map(({ wallMs }) => wallMs),
    ),
    figure(
      `${label}: CPU`,
      'ms',
      rounds.flat().map(({ cpuMs }) => cpuMs),
    ),
  ];
}

/** How many times the wall time of `below` that of `above` is: the medians of each round against each other. */
export function ratioOf(
  label: string,
  above: readonly (readonly Cost[])[],
  below: readonly (readonly Cost[])[],
  promised?: { readonly text: string; readonly holds: (ratio: number) => boolean },
): Ratio {
  const wall = (costs: readonly Cost[]) =>
    percentile(
      costs.map(({ wallMs }) => wallMs),
      0.5,
    );
  const summary = summarize(above.map((costs, round) => wall(costs) / wall(below[round] ?? [])));
  return {
    label,
    summary,
    ...(promised ? { promised: { text: promised.text, isMet: promised.holds(summary.median) } } : {}),
  };
}
