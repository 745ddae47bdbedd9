import type { Histogram, Promised, Section, Summary } from './figures.ts';

/** Where and by what the figures were taken. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** Processes that wanted to run, in the last minute (uptime(1)). */
  readonly loadAtStart: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly takenAt: string;
  readonly command: string;
}

function number(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(Number.isInteger(value) ? 0 : digits);
}

function spread({ min, max, count }: Summary): string {
  return count === 1 ? '' : `[${number(min)}..${number(max)}] n=${count}`;
}

function valueLine(width: number, label: string, unit: string, summary: Summary, promised?: Promised): string {
  const verdict = promised ? `  wanted: ${promised.text}, ${promised.isMet ? 'met' : 'MISSED'}` : '';
  const value = `${number(summary.median).padStart(8)} ${unit.padEnd(6)}`;
  return `  ${label.padEnd(width)}  ${value} ${spread(summary)}${verdict}`.trimEnd();
}

function histogramLines({ label, unit, bins }: Histogram): string[] {
  const most = Math.max(...bins.map(({ count }) => count), 1);
  const edge = Math.max(...bins.map(({ to }) => number(to).length));
  const rows = bins.map(({ from, to, count }) => {
    const bar = '#'.repeat(Math.ceil((count / most) * 40));
    return `    ${number(from).padStart(edge)} to ${number(to).padStart(edge)} ${unit} ${String(count).padStart(5)} ${bar}`.trimEnd();
  });
  return [`  ${label}`, ...rows];
}

/** One measurement as text. */
export function renderSection({ name, title, figures, ratios, histograms = [], notes }: Section): string {
  const width = Math.max(...[...figures, ...ratios].map(({ label }) => label.length), 0);
  return [
    `${name}: ${title}`,
    ...figures.map(({ label, unit, summary, promised }) => valueLine(width, label, unit, summary, promised)),
    ...ratios.map(({ label, summary, promised }) => valueLine(width, label, 'times', summary, promised)),
    ...histograms.flatMap(histogramLines),
    ...notes.map((note) => `  ${note}`),
    '',
  ].join('\n');
}

/** The head of the report. */
export function renderMachine(machine: Machine): string {
  const { processor, cores, loadAtStart, memoryGib, system, versions, takenAt, command } = machine;
  const programs = Object.entries(versions).map(([program, version]) => `${program} ${version}`);
  return [
    `${command}, ${takenAt}`,
    `${processor}, ${cores} cores, ${number(memoryGib)} GiB, ${system}`,
    programs.join(', '),
    `Load at the start: ${number(loadAtStart)}${loadAtStart > cores / 2 ? ', so the machine was BUSY with other work and the figures are worse than they should be' : ''}.`,
    'Figures are medians, with [smallest..largest] and the number of measurements.',
    '',
  ].join('\n');
}
