import type { Metric, Registry } from 'prom-client';

/** A histogram of which the observations come counted already. */
export interface CountedHistogram {
  /** `counts` has one number for each bound, not added up, and one more for what lies above the last. */
  add(counts: readonly number[], sum: number): void;
}

/**
 * Registers a histogram without labels. prom-client's own takes one observation at a time, which is too slow for the
 * hundred thousands of a second that another thread reports at once.
 *
 * @param bounds Upper bounds, ascending; a value on a bound belongs to it.
 */
export function createCountedHistogram(
  registry: Registry,
  name: string,
  help: string,
  bounds: readonly number[],
): CountedHistogram {
  const totals = new Float64Array(bounds.length + 1);
  let total = 0;
  const get = async () => {
    let count = 0;
    const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = [];
    for (const [at, bucket] of totals.entries()) {
      count += bucket;
      values.push({ metricName: `${name}_bucket`, labels: { le: bounds[at] ?? '+Inf' }, value: count });
    }
    values.push({ metricName: `${name}_sum`, labels: {}, value: total });
    values.push({ metricName: `${name}_count`, labels: {}, value: count });
    return { name, help, type: 'histogram', values, aggregator: 'sum' };
  };
  const reset = () => {
    totals.fill(0);
    total = 0;
  };
  // What a registry asks of its metrics; prom-client's type is the union of its own classes.
  registry.registerMetric({ name, help, get, reset } as unknown as Metric);
  return {
    add(counts, sum) {
      for (const [at, count] of counts.entries()) totals[at] = (totals[at] as number) + count;
      total += sum;
    },
  };
}
