import { serveExporter } from '../api/exporter.ts';
import { restartPaths } from '../config/restart.ts';
import type { Config } from '../config/schema.ts';
import { runClient } from '../daemon/client.ts';
import { type DnsRole, startDnsRole } from '../daemon/dns/dns.ts';
import { forgetGone } from '../daemon/forgetting.ts';
import { createClosers, runTogether, stopOnSignals } from '../daemon/lifecycle.ts';
import type { ProcessParts } from '../daemon/process.ts';
import { createReadiness } from '../daemon/readiness.ts';
import { createReloading, reloadOnSignal } from '../daemon/reloading.ts';
import { runServer } from '../daemon/server.ts';
import { systemdLoops, termsOf } from '../daemon/systemd.ts';
import { createLog } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { version } from '../telemetry/version.ts';
import { systemClock } from '../time/clock.ts';
import { createHeartbeats } from '../time/heartbeats.ts';
import { type ConfigOptions, configuration, loadAgain } from './configuration.ts';

export interface RunOptions extends ConfigOptions {
  readonly server?: boolean;
  readonly client?: boolean;
  readonly dns?: boolean;
  readonly debug?: boolean;
}

/**
 * Runs the asked roles until a signal ends them. DNS is answered only where it is asked for: two processes on one box
 * that share a configuration would fight for the port, and the loser may be the one that keeps HAProxy. Several roles in
 * one process share nothing but the exporter and the API, which tells of all of them.
 */
export async function runRoles(options: RunOptions): Promise<void> {
  const roles = { server: options.server === true, client: options.client === true, dns: options.dns === true };
  const config = configuration(options, roles);
  const log = createLog({ ...config.log, level: options.debug ? 'debug' : config.log.level });
  const signal = stopOnSignals(log);
  const closers = createClosers();
  const heartbeats = createHeartbeats(systemClock);
  const readiness = createReadiness(playedRoles(roles, config));
  const metrics = createMetrics();
  const reloading = createReloading({
    first: config,
    load: () => loadAgain(options, roles),
    restartPaths: (before, after) => restartPaths(before, after, roles),
    onChange(before, after) {
      if (options.debug !== true) log.level = after.log.level;
      return forgetGone(metrics, before, after);
    },
    clock: heartbeats.clock,
    log,
    metrics,
  });
  reloadOnSignal(reloading, signal);
  const own = { config, reloading, clock: heartbeats.clock, log, metrics, closers, readiness };
  log.info({ version, node: config.cluster.nodeId, roles, store: config.store.kind }, 'hsdo starts');
  try {
    // Before all else: an address that is taken is a fault of the configuration, and nothing has begun yet.
    if (config.dns && !roles.dns) log.info({}, 'the dns block is for processes started with --dns; this one is not');
    const dns = roles.dns && config.dns ? await startDnsRole(own, config.dns, signal) : undefined;
    const loops = loopsOf(roles, { ...own, ...(dns ? { dns } : {}) }, dns);
    await runTogether([...systemdLoops({ heartbeats, readiness, log }, termsOf(process.env)), ...loops], signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await closers.closeAll(log);
    log.info({}, 'hsdo stopped');
  }
}

/** The roles that have something to do by this configuration. */
function playedRoles(roles: Readonly<Record<'server' | 'client' | 'dns', boolean>>, config: Config): readonly string[] {
  const played = { ...roles, client: roles.client && hasHaproxy(config), dns: roles.dns && config.dns !== undefined };
  return (['server', 'client', 'dns'] as const).filter((role) => played[role]);
}

function loopsOf(
  roles: { readonly server: boolean; readonly client: boolean },
  parts: ProcessParts,
  dns: DnsRole | undefined,
): readonly ((signal: AbortSignal) => Promise<void>)[] {
  const { config, reloading, readiness } = parts;
  const problems = () => readiness?.problems() ?? [];
  const token = () => reloading.current().exporter.token;
  const hasClient = roles.client && hasHaproxy(config);
  return [
    ...(dns ? [(inner: AbortSignal) => dns.run({ withApi: !roles.server && !hasClient }, inner)] : []),
    ...(roles.server ? [(inner: AbortSignal) => runServer(parts, inner)] : []),
    ...(hasClient ? [(inner: AbortSignal) => runClient(parts, { withApi: !roles.server }, inner)] : []),
    ...(config.exporter.listen === 'off'
      ? []
      : [(inner: AbortSignal) => serveExporter(config.exporter, { ...parts, problems, token }, inner)]),
  ];
}

/** A client whose services have names in DNS and nothing else has nothing to do but answer for them. */
const hasHaproxy = ({ services }: Config) => services.some(({ haproxy }) => haproxy !== undefined);
