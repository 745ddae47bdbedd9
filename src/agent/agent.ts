import { createCheck } from '../check/health-checks.ts';
import { createScheduler } from '../check/scheduler.ts';
import type { Problem } from '../model/problem.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { createClockOffset } from './clock-offset.ts';
import type { AgentConfig, AgentServer } from './config.ts';
import { createExchange } from './exchange.ts';
import { createJobs } from './jobs.ts';
import { reportOf } from './reports.ts';
import { createSending } from './sending.ts';
import { runTasking } from './tasking.ts';

export interface AgentParts {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random?: () => number;
}

/** Checks for servers what they want to know, and reports to them. */
export interface Agent {
  /** They run side by side, each until its signal is aborted; what is unsent by then has 2 s to leave. */
  readonly loops: readonly ((signal: AbortSignal) => Promise<void>)[];
  /** Servers that gave no tasks yet, where none did: who works for one does its work. */
  problems(): readonly Problem[];
  /** For which servers it works, in a few words. */
  says(): string;
  /** Frees what the checks hold. */
  close(): Promise<void>;
}

/** Touches nothing outside before its loops run. */
export function createAgent(parts: AgentParts): Agent {
  const { config, clock, log, metrics } = parts;
  const scheduler = createScheduler({
    clock,
    log,
    concurrency: config.checks.concurrency,
    onProbe(service, target, probe, startedAt, delayMs) {
      metrics.checkStartDelay.observe(Math.max(0, delayMs) / 1000);
      metrics.checkRunning.set(scheduler.figures().running);
      for (const { jobs, sending } of links) {
        const task = jobs.taskOf(service, target);
        if (task === undefined) continue;
        metrics.checkProbes.inc({ service: task.domain, code: probe.code });
        metrics.checkSeconds.observe({ service: task.domain }, (clock.monotonic() - startedAt) / 1000);
        const report = reportOf(config.agent_id, task, probe, clock.now());
        if (report !== undefined) sending.add(report);
      }
    },
  });
  const links = config.servers.map((server) => createLink(parts, server, scheduler));
  return {
    loops: [scheduler.run, ...links.flatMap(({ loops }) => loops)],
    problems: () => {
      if (links.some(({ isTasked }) => isTasked())) return [];
      return links.map(({ name }) => ({ part: `server "${name}"`, message: 'it gave no tasks yet' }));
    },
    says() {
      const names = links.filter(({ isTasked }) => isTasked()).map(({ name }) => name);
      return names.length === 0 ? 'waits for tasks' : `checks for ${names.join(', ')}`;
    },
    async close() {
      await Promise.all(links.map(({ jobs }) => jobs.close()));
    },
  };
}

/** Everything between this agent and one server. */
function createLink(parts: AgentParts, server: AgentServer, scheduler: ReturnType<typeof createScheduler>) {
  const { config, clock, log, metrics, random = Math.random } = parts;
  const { agent_id: agentId, allowExec, tasksSeconds, batchSeconds, maxUnsent } = config;
  const labels = { server: server.name };
  const owner = JSON.stringify([agentId, server.name]);
  const exchange = createExchange(server, clock);
  const jobs = createJobs({ owner, scheduler, makeCheck: createCheck, clock, log, allowExec });
  const offset = createClockOffset({ server: server.name, log }, (seconds) =>
    metrics.agentClockOffset.set(labels, seconds),
  );
  for (const gauge of [metrics.agentUnsent, metrics.agentTasks]) gauge.set(labels, 0);
  const sending = createSending({
    server,
    exchange,
    offset,
    clock,
    log,
    batchSeconds,
    maxUnsent,
    random,
    onSettled: (outcome, count) => metrics.agentReports.inc({ ...labels, outcome }, count),
    onUnsent: (count) => metrics.agentUnsent.set(labels, count),
  });
  let isTasked = false;
  const onTasks = (count: number) => {
    isTasked = true;
    metrics.agentTasks.set(labels, count);
  };
  const tasking = { server, exchange, jobs, offset, clock, log, tasksSeconds, random, onTasks };
  return {
    name: server.name,
    isTasked: () => isTasked,
    jobs,
    sending,
    loops: [(signal: AbortSignal) => runTasking(tasking, signal), (signal: AbortSignal) => sending.run(signal)],
  };
}
