import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, type as systemName, totalmem } from 'node:os';
import { version } from '../../src/telemetry/version.ts';
import type { Machine } from './report.ts';

/** The first number with dots in what a program says about itself; `unknown` if there is none. */
function versionOf(command: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return /\d+\.\d+[\w.+-]*/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[0] ?? 'unknown';
}

/** Describes the machine and every program that takes part. */
export function describeMachine(args: readonly string[]): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown processor',
    cores: processors.length,
    loadAtStart: loadavg()[0] ?? 0,
    memoryGib: totalmem() / 1024 ** 3,
    system: `${systemName()} ${release()}`,
    versions: {
      hsdo: version,
      Node: process.versions.node,
      HAProxy: versionOf('haproxy', '-v'),
      Consul: versionOf('consul', 'version'),
      gdnsd: versionOf('gdnsd', 'help'),
      NSD: versionOf('nsd', '-v'),
      dnsmasq: versionOf('dnsmasq', '--version'),
      moto: versionOf('/usr/bin/python3', '-c', 'import moto; print(moto.__version__)'),
    },
    takenAt: new Date().toISOString(),
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
  };
}
