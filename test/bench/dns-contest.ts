import { generate } from './dns/generator.ts';
import type { LoadOrder, LoadOutcome, LoadTarget } from './dns/load-order.ts';
import { type DnsServer, host } from './dns/servers.ts';
import type { BenchZone } from './dns/zone.ts';
import { type Figure, figure, type Ratio, summarize } from './figures.ts';

/** Who takes part, and what is asked. */
export interface DnsContestant {
  readonly start: () => Promise<DnsServer>;
  readonly asked: BenchZone;
  readonly hasEdns?: boolean;
  /** See LoadTarget. */
  readonly versions?: number;
  /** The main process of the server is told when its slices begin and end. */
  readonly isAccomplice?: boolean;
}

/** What every measurement here has in common: five rounds of two seconds for each, in ten slices. */
const usual = { host, rounds: 5, slices: 10, sliceSeconds: 0.2, warmUpSeconds: 2, sleeps: false } as const;

export type DnsLoad = Partial<Pick<LoadOrder, 'perSecond' | 'sleeps' | 'slices' | 'sliceSeconds'>>;

export type DnsResults<Name extends string> = Readonly<Record<Name, readonly LoadOutcome[]>>;

function targetOf(
  { asked, hasEdns = false, versions = 0, isAccomplice }: DnsContestant,
  server: DnsServer,
): LoadTarget {
  const pids = server.pids();
  const [accomplice = 0] = pids;
  const questions = asked.names;
  const { port } = server;
  return { port, pids, questions, hasEdns, versions, ...(isAccomplice === true ? { accomplice } : {}) };
}

/** Starts all, side by side on one processor, lets the generator ask them under one load after the other, and stops them. */
export async function dnsContest<Name extends string>(
  contestants: Readonly<Record<Name, DnsContestant>>,
  loads: readonly DnsLoad[],
): Promise<readonly DnsResults<Name>[]> {
  const names = Object.keys(contestants) as Name[];
  const running: DnsServer[] = [];
  const targets: Record<string, LoadTarget> = {};
  try {
    for (const name of names) {
      const server = await contestants[name].start();
      running.push(server);
      targets[name] = targetOf(contestants[name], server);
    }
    const results: DnsResults<Name>[] = [];
    for (const load of loads) results.push((await generate({ ...usual, ...load, targets })) as DnsResults<Name>);
    return results;
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
}

/** Answers per second, in thousands. */
export const rateOf = ({ answered, seconds }: LoadOutcome) => answered / seconds / 1000;
/** Processor time of the server for one answer, in microseconds. */
export const costOf = ({ answered, serverCpuMs }: LoadOutcome) => (serverCpuMs * 1000) / answered;
const shareOf = ({ seconds, serverCpuMs }: LoadOutcome) => serverCpuMs / seconds / 10;

export function saturatedFigures(label: string, rounds: readonly LoadOutcome[]): Figure[] {
  return [
    figure(`${label}: answers`, 'k/s', rounds.map(rateOf)),
    figure(`${label}: CPU for one`, 'us', rounds.map(costOf)),
    figure(`${label}: share of its core`, '%', rounds.map(shareOf)),
  ];
}

export function latencyFigures(label: string, rounds: readonly LoadOutcome[]): [half: Figure, most: Figure] {
  return [
    figure(
      `${label}: p50`,
      'us',
      rounds.map(({ latencyUs }) => latencyUs.half),
    ),
    figure(
      `${label}: p99`,
      'us',
      rounds.map(({ latencyUs }) => latencyUs.most),
    ),
  ];
}

/** How many times the answers of `below` those of `above` are, round by round. */
export function rateRatio(
  label: string,
  above: readonly LoadOutcome[],
  below: readonly LoadOutcome[],
  atLeast?: number,
): Ratio {
  const summary = summarize(above.map((outcome, round) => rateOf(outcome) / rateOf(below[round] ?? outcome)));
  if (atLeast === undefined) return { label, summary };
  return { label, summary, promised: { text: `at least ${atLeast}`, isMet: summary.median >= atLeast } };
}

/** Loss that is too small to be worth a word. */
const usualLoss = 0.001;

/** What went wrong, in words; nothing when every question had the right answer. */
export function faultNotes(load: string, results: DnsResults<string>): string[] {
  return Object.entries(results).flatMap(([name, rounds]) => {
    const lost = rounds.reduce((sum, one) => sum + one.lost, 0);
    const answered = rounds.reduce((sum, one) => sum + one.answered, 0);
    const faults = rounds.flatMap((one) => Object.entries(one.faults).map(([fault, count]) => `${fault} (${count})`));
    const share = lost / Math.max(1, lost + answered);
    const percent = (share * 100).toFixed(2);
    return [
      ...(share > usualLoss ? [`LOST, ${load}, ${name}: ${lost} questions, ${percent} %.`] : []),
      ...(faults.length > 0 ? [`WRONG, ${load}, ${name}: ${faults.join(', ')}.`] : []),
    ];
  });
}

/** Replies that were wrong in any way. */
export function wrongReplies(rounds: readonly LoadOutcome[]): number {
  return rounds.flatMap(({ faults }) => Object.values(faults)).reduce((sum, count) => sum + count, 0);
}
