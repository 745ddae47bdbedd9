/** A point of a line: a number, or nothing where nothing was measured. */
export type Point = number | null;

export interface Line {
  /** For the attribute `d` of a path; an empty one draws nothing. */
  readonly path: string;
  readonly highest: number;
}

const short = (value: number) => String(Math.round(value * 10) / 10);

/**
 * A line through points of equal distance, from zero to the highest of them, broken where nothing was measured. A point
 * between two gaps is a short dash, or nobody would see it.
 */
export function lineOf(points: readonly Point[], width: number, height: number): Line {
  const highest = points.reduce<number>((most, point) => Math.max(most, point ?? 0), 0);
  const step = width / Math.max(1, points.length - 1);
  const y = (point: number) => short(highest === 0 ? height : height - (point / highest) * height);
  let path = '';
  points.forEach((point, index) => {
    if (point === null) return;
    const isStart = (points[index - 1] ?? null) === null;
    const isAlone = isStart && (points[index + 1] ?? null) === null;
    path += `${isStart ? 'M' : 'L'}${short(index * step)} ${y(point)}${isAlone ? `h${short(step)}` : ''}`;
  });
  return { path, highest };
}

/** A stretch of equal health. */
export interface Stretch {
  readonly health: string;
  readonly from: number;
  readonly steps: number;
}

/** Neighbours of one letter as one stretch each. */
export function stretchesOf(health: string): readonly Stretch[] {
  const stretches: { health: string; from: number; steps: number }[] = [];
  health.split('').forEach((letter, from) => {
    const last = stretches.at(-1);
    if (last?.health === letter) last.steps += 1;
    else stretches.push({ health: letter, from, steps: 1 });
  });
  return stretches;
}

/** What a plot says to those who do not see it. */
export function plotSentence(health: string, points: readonly Point[], unit: (value: number) => string): string {
  const known = points.filter((point) => point !== null);
  const downs = stretchesOf(health).filter((one) => one.health === 'd').length;
  if (known.length === 0 && downs === 0) return 'nothing measured in the last 15 minutes';
  const times = known.length === 0 ? 'no times' : `${unit(Math.min(...known))} to ${unit(Math.max(...known))}`;
  return `last 15 minutes: ${times}, ${downs === 0 ? 'never down' : `down ${downs === 1 ? 'once' : `${downs} times`}`}`;
}
