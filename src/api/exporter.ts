import { Hono } from 'hono';
import type { Metrics } from '../telemetry/metrics.ts';

/** The Prometheus exporter: the text format on /metrics, and on every other path as HSDO's exporter has it. */
export function createExporter(metrics: Metrics): Hono {
  const app = new Hono();
  app.get('*', async (context) => {
    const text = await metrics.registry.metrics();
    return context.body(text, 200, { 'content-type': metrics.registry.contentType });
  });
  return app;
}
