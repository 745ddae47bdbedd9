import { createExporter } from '../api/exporter.ts';
import { serve } from '../api/listen.ts';
import { runClient } from '../daemon/client.ts';
import { createClosers, runTogether, stopOnSignals } from '../daemon/lifecycle.ts';
import { runServer } from '../daemon/server.ts';
import { createLog } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { version } from '../telemetry/version.ts';
import { systemClock } from '../time/clock.ts';
import { type ConfigOptions, configuration } from './configuration.ts';

export interface RunOptions extends ConfigOptions {
  readonly server?: boolean;
  readonly client?: boolean;
  readonly debug?: boolean;
}

/** Runs the asked roles until a signal ends them. Several roles in one process share nothing but the exporter. */
export async function runRoles(options: RunOptions): Promise<void> {
  const roles = { server: options.server === true, client: options.client === true };
  const config = configuration(options, roles);
  const log = createLog({ ...config.log, level: options.debug ? 'debug' : config.log.level });
  const signal = stopOnSignals(log);
  const closers = createClosers();
  const metrics = createMetrics();
  const process = { config, clock: systemClock, log, metrics, closers };
  log.info({ version, node: config.cluster.nodeId, roles, store: config.store.kind }, 'hsdo starts');
  const loops: ((signal: AbortSignal) => Promise<void>)[] = [];
  if (roles.server) loops.push((inner) => runServer(process, inner));
  if (roles.client) loops.push((inner) => runClient(process, { withApi: !roles.server }, inner));
  if (config.exporter.listen !== 'off') {
    loops.push((inner) => serve('the exporter', createExporter(metrics), config.exporter.listen, process, inner));
  }
  try {
    await runTogether(loops, signal);
  } finally {
    await closers.closeAll(log);
    log.info({}, 'hsdo stopped');
  }
}
