import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import type { Config, ServiceConfig } from '../config/schema.ts';
import { type HaproxyConfig, stateFileOf } from '../deliver/haproxy/config.ts';
import { stateFileBackends } from '../deliver/haproxy/haproxy.ts';
import { loadMemory } from '../deliver/haproxy/memory.ts';
import { composeStateFile, writeStateFile } from '../deliver/haproxy/state-file.ts';
import { renderTemplate, templateView } from '../deliver/haproxy/template.ts';
import { describeError } from '../model/error.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { openHomes } from '../publish/homes.ts';
import { createLog } from '../telemetry/log.ts';
import { packageFolder } from '../telemetry/package-folder.ts';
import { systemClock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { type ConfigOptions, configuration } from './configuration.ts';
import { Exit, exitCodes } from './exit.ts';

type Kept = ServiceConfig & { readonly haproxy: HaproxyConfig };

interface TemplateOptions {
  readonly service?: string;
  readonly template?: string;
  readonly bind?: string;
  readonly balance?: string;
  readonly checkPath?: string;
  readonly checkTiming?: string;
  readonly user?: string;
  readonly group?: string;
  readonly haproxyVersion?: string;
}

/** `hsdo haproxy-config` and `hsdo haproxy-state`: what HAProxy starts from. */
export function addHaproxyCommands(program: Command): void {
  program
    .command('haproxy-config')
    .description('print a haproxy.cfg for the configured service, from haproxy.cfg.template')
    .option('--service <name>', 'which service (needed when several are configured)')
    .option('--template <file>', 'another template')
    .option('--bind <address>', 'what the frontend listens on', '*:80')
    .option('--balance <algorithm>', 'such as roundrobin, leastconn or "hash path"', 'roundrobin')
    .option('--check-path <path>', 'path for HTTP health checks; without it a check is a TCP connect')
    .option('--check-timing <words>', 'such as "inter 2s rise 2 fall 3"')
    .option('--user <name>', 'system account that HAProxy changes to')
    .option('--group <name>', 'its group')
    .option('--haproxy-version <version>', 'use what this version knows (default: ask the installed haproxy)')
    .action(async (options: TemplateOptions, command: Command) => {
      process.stdout.write(
        await renderConfig(configuration(command.optsWithGlobals<ConfigOptions>(), { client: true }), options),
      );
    });
  program
    .command('haproxy-state')
    .description('write the server-state file from the last known list, before HAProxy starts (ExecStartPre)')
    .option('--print', 'print it instead')
    .option('--timeout-ms <ms>', 'how long to wait for the store before the list on disk is taken', '2000')
    .action(async (options: { print?: boolean; timeoutMs: string }, command: Command) => {
      const config = configuration(command.optsWithGlobals<ConfigOptions>(), { client: true });
      if (!/^\d{1,6}$/.test(options.timeoutMs))
        throw new Exit(exitCodes.usage, `--timeout-ms ${options.timeoutMs}: expected a whole number`);
      await writeStates(config, options.print === true, Number(options.timeoutMs));
    });
}

function keptServices(config: Config): readonly Kept[] {
  return config.services.filter((service): service is Kept => service.haproxy !== undefined);
}

async function installedVersion(): Promise<string | undefined> {
  try {
    return (await promisify(execFile)('haproxy', ['-v'], { timeout: 2000 })).stdout;
  } catch {
    return undefined;
  }
}

async function renderConfig(config: Config, options: TemplateOptions): Promise<string> {
  const services = keptServices(config);
  const service =
    options.service === undefined && services.length === 1
      ? services[0]
      : services.find(({ name }) => name === options.service);
  if (!service) {
    throw new Exit(exitCodes.usage, `--service: expected one of ${services.map(({ name }) => name).join(', ')}`);
  }
  const file = options.template ?? join(packageFolder, 'haproxy.cfg.template');
  const template = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Exit(exitCodes.failed, `Cannot read the template: ${describeError(error)}`);
  });
  const { backends, sockets, stateFile } = service.haproxy;
  const view = templateView({
    ...options,
    backends,
    size: service.size,
    socket: sockets[0] ?? '',
    stateFile,
    haproxyVersion: options.haproxyVersion ?? (await installedVersion()),
  });
  return renderTemplate(template, view);
}

/** The newest list that can be had in time: from the store, else what the client keeps on disk. */
async function newestList(
  config: Config,
  service: string,
  onDisk: Snapshot | undefined,
  timeoutMs: number,
): Promise<Snapshot | undefined> {
  const { signal } = new AbortController();
  try {
    const read = await withDeadline('The store', timeoutMs, signal, async (inner) => {
      const homes = await openHomes(config, systemClock, inner);
      try {
        return await homes.snapshots.read(service, inner);
      } finally {
        await homes.close();
      }
    });
    return read ?? onDisk;
  } catch (error) {
    process.stderr.write(`note: the list on disk is taken for "${service}": ${describeError(error)}\n`);
    return onDisk;
  }
}

async function writeStates(config: Config, isPrinted: boolean, timeoutMs: number): Promise<void> {
  const log = createLog({ level: 'info', format: 'text' });
  for (const service of keptServices(config)) {
    const { name, haproxy } = service;
    const memory = await loadMemory(config.stateDirectory, name, log);
    const snapshot = await newestList(config, name, memory.snapshot, timeoutMs);
    if (!snapshot) {
      process.stderr.write(`note: no list of "${name}" is known yet; its slots start empty\n`);
      continue;
    }
    for (const position of haproxy.sockets.keys()) {
      const backends = stateFileBackends(haproxy, snapshot, memory, position);
      const path = stateFileOf(haproxy, position);
      if (isPrinted || path === undefined) process.stdout.write(composeStateFile(backends));
      else await writeStateFile(path, backends);
    }
  }
}
