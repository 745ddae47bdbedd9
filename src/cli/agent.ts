import { createAgent } from '../agent/agent.ts';
import type { AgentConfig } from '../agent/config.ts';
import { defaultAgentFile, loadAgentConfig } from '../agent/load.ts';
import { serveExporter } from '../api/exporter.ts';
import { showFault } from '../config/fault.ts';
import { isSameSetting } from '../config/same.ts';
import { runTogether, stopOnSignals } from '../daemon/lifecycle.ts';
import { createReadiness } from '../daemon/readiness.ts';
import { createReloading, type Play, type ReloadingOptions, reloadOnSignal } from '../daemon/reloading.ts';
import { systemdLoops, termsOf } from '../daemon/systemd.ts';
import { forgetSeries } from '../telemetry/forget-series.ts';
import { createLog } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { version } from '../telemetry/version.ts';
import { systemClock } from '../time/clock.ts';
import { createHeartbeats } from '../time/heartbeats.ts';
import type { ConfigOptions } from './configuration.ts';
import { Exit, exitCodes } from './exit.ts';

export interface AgentOptions extends ConfigOptions {
  readonly debug?: boolean;
}

/** Runs the agent until a signal ends it; a wrong configuration ends it with every fault at once and exit code 78. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const config = agentConfiguration(options);
  const log = createLog({ ...config.log, level: options.debug ? 'debug' : config.log.level });
  const signal = stopOnSignals(log);
  const metrics = createMetrics();
  const heartbeats = createHeartbeats(systemClock);
  const { clock } = heartbeats;
  const reloading = createReloading({
    first: config,
    load: () => loadAgain(options),
    restartPaths: agentRestartPaths,
    onChange(_, after) {
      if (options.debug !== true) log.level = after.log.level;
      const names = new Set(after.servers.map(({ name }) => name));
      return forgetSeries(metrics, ({ server }) => server !== undefined && !names.has(String(server)));
    },
    clock,
    log,
    metrics,
  });
  reloadOnSignal(reloading, signal);
  const readiness = createReadiness(['agent']);
  const servers = config.servers.map(({ name, url }) => ({ name, url }));
  log.info({ version, agent: config.agent_id, servers }, 'hsdo starts as an agent');
  const play: Play<AgentConfig> = async (now, closers, until) => {
    const agent = createAgent({ config: now, clock, log, metrics });
    readiness.tell('agent', agent);
    closers.add('the checks', agent.close);
    await runTogether(agent.loops, until);
  };
  const { problems } = readiness;
  const token = () => reloading.current().exporter.token;
  const exporting = { metrics, problems, token, clock, log };
  const exporter = (inner: AbortSignal) => serveExporter(config.exporter, exporting, inner);
  const exporters = config.exporter.listen === 'off' ? [] : [exporter];
  try {
    const told = systemdLoops({ heartbeats, readiness, log }, termsOf(process.env));
    await runTogether([...told, (inner) => reloading.each(play, inner), ...exporters], signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    log.info({}, 'hsdo stopped');
  }
}

function loadAgain({ config: file }: ConfigOptions): ReturnType<ReloadingOptions<AgentConfig>['load']> {
  const { config, faults } = loadAgentConfig({ file, env: process.env });
  return config ? { config } : { faults: faults.map(showFault) };
}

/** What an agent only reads at its start. */
function agentRestartPaths(before: AgentConfig, after: AgentConfig): readonly string[] {
  return [
    ...(before.exporter.listen === after.exporter.listen ? [] : ['exporter.listen']),
    ...(isSameSetting(before.exporter.tls, after.exporter.tls) ? [] : ['exporter.tls']),
    ...(before.log.format === after.log.format ? [] : ['log.format']),
  ];
}

function agentConfiguration({ config: file }: ConfigOptions): AgentConfig {
  const { config, faults } = loadAgentConfig({ file, env: process.env });
  if (config) return config;
  throw new Exit(exitCodes.config, faults.map(showFault).join('\n'));
}

/** What `hsdo check-config --agent` looks at. */
export function checkAgentConfig(file: string | undefined) {
  const { config, faults } = loadAgentConfig({ file, env: process.env });
  const servers = config?.servers.map(({ name }) => name) ?? [];
  const summary = `${file ?? defaultAgentFile} is fine: an agent of ${servers.length} server${servers.length === 1 ? '' : 's'} (${servers.join(', ')})\n`;
  return { config, faults, notices: [], summary };
}
