import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';

export type Labels = Readonly<Partial<Record<string, string | number>>>;

/** Takes the gauges away that speak of what is no more: a value that nobody renews would be a lie. Counters stay. */
export async function forgetSeries({ registry }: Pick<Metrics, 'registry'>, isGone: (labels: Labels) => boolean) {
  for (const metric of registry.getMetricsAsArray()) {
    if (!(metric instanceof Gauge)) continue;
    const { values } = await metric.get();
    for (const { labels } of values) if (isGone(labels)) metric.remove(labels);
  }
}
