import { readdirSync, readFileSync, writeSync } from 'node:fs';
import { type Lane, openLane } from './lane.ts';
import { emptyTally, type LoadOptions, load, type Tally } from './load.ts';
import type { LoadOrder, LoadOutcome, LoadOutcomes, LoadTarget } from './load-order.ts';
import { type Question, questionFor } from './question-set.ts';

/**
 * A process of its own, so that it can have a processor of its own: faster than dnsperf, because it moves many packets
 * with one system call, and it looks at every reply. Argument: a file with a {@link LoadOrder} in JSON; prints
 * {@link LoadOutcomes} in JSON.
 */
const laneCount = 8;

interface Opened {
  readonly target: LoadTarget;
  readonly lanes: readonly Lane[];
  readonly questions: readonly Question[];
}

function open(host: string, target: LoadTarget): Opened {
  const questions = target.questions.map((asked) => questionFor(asked, target.hasEdns));
  const size = questions[0]?.packet.length ?? 0;
  if (questions.some(({ packet }) => packet.length !== size)) throw new Error('the names are not all of one length');
  return { target, questions, lanes: Array.from({ length: laneCount }, () => openLane(host, target.port, size)) };
}

/** Processor time of processes and all their threads so far, in milliseconds (Linux, proc(5): schedstat). */
function cpuMsOf(pids: readonly number[]): number {
  const tasks = pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`));
  const nanoseconds = tasks.map((task) => Number(readFileSync(`${task}/schedstat`, 'utf8').split(' ')[0]));
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1_000_000;
}

/** Like `percentile` of the other measurements, for millions of values. */
function spread(values: readonly number[]): LoadOutcome['latencyUs'] {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { half: at(0.5), most: at(0.99), mostOfThousand: at(0.999) };
}

function outcomeOf(tally: Tally, serverCpuMs: number): LoadOutcome {
  const { seconds, lost, faults, firsts, newVersions, latencyUs } = tally;
  const answered = latencyUs.length;
  const common = { seconds, answered, lost, faults, firsts, newVersions, serverCpuMs };
  return { ...common, latencyUs: spread(latencyUs) };
}

function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

/** One round of all targets. */
function round(order: LoadOrder, opened: ReadonlyMap<string, Opened>): Map<string, LoadOutcome> {
  const sums = new Map([...opened.keys()].map((name) => [name, { tally: emptyTally(), cpuMs: 0 }]));
  for (let slice = 0; slice < order.slices; slice += 1) {
    for (const [name, { target, lanes, questions }] of shuffled([...opened])) {
      const sum = sums.get(name);
      if (sum === undefined) continue;
      const { versions, pids, accomplice } = target;
      if (accomplice !== undefined) process.kill(accomplice, 'SIGUSR2');
      const cpuBefore = cpuMsOf(pids);
      const { perSecond, sleeps, sliceSeconds: seconds } = order;
      load({ lanes, questions, versions, perSecond, sleeps, seconds }, sum.tally);
      sum.cpuMs += cpuMsOf(pids) - cpuBefore;
      if (accomplice !== undefined) process.kill(accomplice, 'SIGHUP');
    }
  }
  return new Map([...sums].map(([name, { tally, cpuMs }]) => [name, outcomeOf(tally, cpuMs)]));
}

function follow(order: LoadOrder): LoadOutcomes {
  const opened = new Map(Object.entries(order.targets).map(([name, target]) => [name, open(order.host, target)]));
  for (const { target, lanes, questions } of opened.values()) {
    const options: LoadOptions = {
      ...{ lanes, questions, versions: target.versions, sleeps: order.sleeps },
      ...{ perSecond: undefined, seconds: order.warmUpSeconds },
    };
    load(options, emptyTally());
  }
  const rounds = Array.from({ length: order.rounds }, () => round(order, opened));
  const names = [...opened.keys()];
  return Object.fromEntries(names.map((name) => [name, rounds.flatMap((one) => one.get(name) ?? [])]));
}

const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as LoadOrder;
writeSync(1, `${JSON.stringify(follow(order))}\n`);
