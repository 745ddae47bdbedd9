/** What many measurements of one thing come to. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** What the project promises; told beside the figure, never asserted. */
export interface Promised {
  readonly text: string;
  readonly isMet: boolean;
}

export interface Figure {
  readonly label: string;
  readonly unit: string;
  readonly summary: Summary;
  readonly promised?: Promised;
}

/** How much one way costs against another in the same run. */
export interface Ratio {
  readonly label: string;
  readonly summary: Summary;
  readonly promised?: Promised;
}

export interface Histogram {
  readonly label: string;
  readonly unit: string;
  readonly bins: readonly { readonly from: number; readonly to: number; readonly count: number }[];
}

/** Everything that one measurement has to say. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
  readonly histograms?: readonly Histogram[];
  /** Sentences about what was measured and how. */
  readonly notes: readonly string[];
}

/**
 * The value below which a share of the values lies, by the nearest rank; 0.5 is the median, 1 the largest.
 *
 * @throws RangeError for no values: there is nothing to tell.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('Cannot take a percentile of no values');
  return value;
}

export function summarize(values: readonly number[]): Summary {
  return {
    median: percentile(values, 0.5),
    min: Math.min(...values),
    max: Math.max(...values),
    count: values.length,
  };
}

export function figure(label: string, unit: string, values: readonly number[]): Figure {
  return { label, unit, summary: summarize(values) };
}

/** A figure with what is promised of its median. */
export function promise(one: Figure, text: string, holds: (median: number) => boolean): Figure {
  return { ...one, promised: { text, isMet: holds(one.summary.median) } };
}

/** The widths that people can read: 1, 2 or 5 times a power of ten. */
function readableWidth(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return [1, 2, 5, 10].map((step) => step * power).find((width) => width >= atLeast) ?? atLeast;
}

/** Counts the values in at most `most` bins of one width, from 0. */
export function histogram(label: string, unit: string, values: readonly number[], most = 10): Histogram {
  const largest = Math.max(...values, Number.EPSILON);
  const width = readableWidth(largest / most);
  const bins = Array.from({ length: Math.floor(largest / width) + 1 }, (_, position) => {
    const [from, to] = [position * width, (position + 1) * width];
    return { from, to, count: values.filter((value) => value >= from && value < to).length };
  });
  return { label, unit, bins };
}
