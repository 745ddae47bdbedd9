import { join } from 'node:path';
import { startProgram } from '../fixtures/program.ts';
import { until } from '../fixtures/until.ts';
import { type Figure, figure, promise, type Section } from './figures.ts';
import type { ProbeCost } from './probe-process.ts';

const targetCount = 5000;
const intervalMs = 5000;
const secondsLong = 30;

const child = (...args: readonly (string | number)[]) =>
  startProgram(process.execPath, [
    '--import',
    import.meta.resolve('tsx'),
    join(import.meta.dirname, 'probe-process.ts'),
    ...args.map(String),
  ]);

async function costOf(way: 'hsdo' | 'plain', port: number): Promise<ProbeCost> {
  const program = child(way, port, targetCount, intervalMs, secondsLong);
  await program.exited;
  await program.closed;
  const last = program.stdout().trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`the probes of "${way}" came to no figures: ${program.output()}`);
  return JSON.parse(last) as ProbeCost;
}

function figuresOf(label: string, cost: ProbeCost): Figure[] {
  const one = (what: string, unit: string, value: number) => figure(`${label}: ${what}`, unit, [value]);
  return [
    one('start delay, median', 'ms', cost.delayMs.half),
    one('start delay, p99', 'ms', cost.delayMs.most),
    one('start delay, longest', 'ms', cost.delayMs.longest),
    one('one probe, median', 'ms', cost.tookMs.half),
    one('one probe, p99', 'ms', cost.tookMs.most),
    one('all targets known after', 'ms', cost.allKnownMs),
    one('probes', '', cost.probes),
    one('probes that failed', '', cost.failures),
    one('CPU', '%', cost.cpuPercent),
    one('memory, largest', 'MiB', cost.largestRssMib),
  ];
}

/** 5000 targets over HTTP from one process, against the loop that one writes first. */
export async function probes(): Promise<Section> {
  const server = child('serve');
  try {
    const port = await until('the targets listen', () => Number(server.stdout()) || false);
    const [hsdo, plain] = [await costOf('hsdo', port), await costOf('plain', port)];
    const figures = figuresOf('hsdo', hsdo).map((one) =>
      one.label.endsWith('p99') && one.label.includes('delay') ? promise(one, 'below 100', (ms) => ms < 100) : one,
    );
    return {
      name: 'probes',
      title: `${targetCount} HTTP targets every ${intervalMs / 1000} s from one process, for ${secondsLong} s from its start`,
      figures: [...figures, ...figuresOf('plain loop', plain)],
      ratios: [],
      notes: [
        'Scheduler and check as a server runs them, against setInterval and one http.get with a new agent per target.',
        'All targets are one other process on this machine, which works on them meanwhile. Percent of one core.',
      ],
    };
  } finally {
    await server.stop();
  }
}
