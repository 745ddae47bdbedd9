import { createAgent } from '../agent/agent.ts';
import type { AgentConfig } from '../agent/config.ts';
import { defaultAgentFile, loadAgentConfig } from '../agent/load.ts';
import { createExporter } from '../api/exporter.ts';
import { serve } from '../api/listen.ts';
import { showFault } from '../config/fault.ts';
import { createClosers, runTogether, stopOnSignals } from '../daemon/lifecycle.ts';
import { createReadiness } from '../daemon/readiness.ts';
import { systemdLoops, termsOf } from '../daemon/systemd.ts';
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
  const closers = createClosers();
  const metrics = createMetrics();
  const heartbeats = createHeartbeats(systemClock);
  const { clock } = heartbeats;
  const agent = createAgent({ config, clock, log, metrics });
  const readiness = createReadiness(['agent']);
  readiness.tell('agent', agent);
  closers.add('the checks', agent.close);
  const servers = config.servers.map(({ name, url }) => ({ name, url }));
  log.info({ version, agent: config.agent_id, servers }, 'hsdo starts as an agent');
  const { listen } = config.exporter;
  const exporter = (inner: AbortSignal) =>
    serve('the exporter', createExporter(metrics, readiness.problems), listen, { clock, log }, inner);
  try {
    const told = systemdLoops({ heartbeats, readiness, log }, termsOf(process.env));
    await runTogether([...told, ...agent.loops, ...(listen === 'off' ? [] : [exporter])], signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await closers.closeAll(log);
    log.info({}, 'hsdo stopped');
  }
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
