import { Hono } from 'hono';
import type { Problem } from '../model/problem.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/**
 * The Prometheus exporter: the text format on /metrics, and on every other path as HSDO's exporter has it. But /healthz and
 * /readyz answer as the API does, since a client, an agent or a process for DNS alone may have no API.
 *
 * @param problems - What keeps the process from its work, of all its roles.
 */
export function createExporter(metrics: Metrics, problems: () => readonly Problem[]): Hono {
  const app = new Hono();
  const uncached = { 'cache-control': 'no-store' };
  app.get('/healthz', (context) => context.json({ status: 'ok' }, 200, uncached));
  app.get('/readyz', (context) => {
    const found = problems();
    const isReady = found.length === 0;
    return context.json({ status: isReady ? 'ready' : 'not ready', problems: found }, isReady ? 200 : 503, uncached);
  });
  app.get('*', async (context) => {
    const text = await metrics.registry.metrics();
    return context.body(text, 200, { 'content-type': metrics.registry.contentType });
  });
  return app;
}
