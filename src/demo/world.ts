import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { type Child, plainEnvironment, startChild } from './children.ts';
import { type DnsPort, freePort, takeDnsPort } from './free-port.ts';
import { findHaproxy } from './haproxy-program.ts';
import {
  configText,
  type DemoPlaces,
  haproxyConfigArgs,
  haproxyConfigText,
  placesIn,
  size,
  usualDnsPort,
} from './settings.ts';
import { openTargets, type Targets } from './targets.ts';

/** HAProxy, hsdo's server and client as processes, the targets, and the folder that they share. */
export interface World {
  readonly places: DemoPlaces;
  readonly targets: Targets;
  /** Asks HAProxy's master for a reload. */
  reload(): void;
  /** SIGKILL, as the kernel does it when memory runs out. */
  killServer(): void;
  startServer(): void;
  isServerRunning(): boolean;
  /** Names a process that ended although it should run, with its last words. */
  loss(): string | undefined;
  /** The last words of every process. */
  logs(): string;
  /** Ends everything and removes the folder. */
  close(): Promise<void>;
  /** The same within this very moment, for a process that ends now. */
  closeNow(): void;
}

export interface WorldOptions {
  /** Arguments with which `process.execPath` runs hsdo. */
  readonly entry: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Prepares and starts everything; whatever fails on the way is undone.
 *
 * @throws HsdoError `unavailable` when haproxy is not installed.
 */
export async function openWorld({ entry, clock, signal }: WorldOptions): Promise<World> {
  const haproxyProgram = findHaproxy();
  const folder = await mkdtemp(join(tmpdir(), 'hsdo-demo-'));
  const children: Child[] = [];
  let targets: Targets | undefined;
  let dns: DnsPort | undefined;
  const closeNow = () => {
    for (const child of children) child.kill();
    targets?.close();
    rmSync(folder, { recursive: true, force: true });
  };
  // Whatever way this process ends, nothing of it stays; only SIGKILL leaves no time for that.
  process.once('exit', closeNow);
  const close = async () => {
    // Who gives orders goes first, then who carries the load.
    for (const child of [...children].reverse()) await child.stop();
    targets?.close();
    await dns?.release();
    await rm(folder, { recursive: true, force: true });
    process.off('exit', closeNow);
  };
  try {
    dns = await takeDnsPort(usualDnsPort);
    const ports = { api: await freePort(), frontend: await freePort(), page: await freePort(), dns: dns.port };
    const places = placesIn(folder, ports);
    targets = await openTargets(size, places.targetsPath);
    await writeFile(places.configPath, configText(places));
    const hsdo = [...entry, '--config', places.configPath];
    await writeHaproxyConfig(hsdo, places, signal);
    const haproxyArgs = ['-W', '-S', places.masterPath, '-f', places.haproxyConfigPath];
    const haproxy = startChild('haproxy', haproxyProgram, haproxyArgs, { clock });
    children.push(haproxy);
    const startHsdo: StartHsdo = (roles, env = {}) => {
      const args = roles.map((role) => `--${role}`);
      const child = startChild(`hsdo ${args.join(' ')}`, process.execPath, [...hsdo, ...args], { clock, env });
      children.push(child);
      return child;
    };
    return { places, targets, close, closeNow, ...operate({ children, haproxy, startHsdo, places }) };
  } catch (error) {
    await close();
    throw error;
  }
}

type StartHsdo = (roles: readonly ('server' | 'client' | 'dns')[], env?: Record<string, string>) => Child;

async function writeHaproxyConfig(hsdo: readonly string[], places: DemoPlaces, signal: AbortSignal): Promise<void> {
  const args = [...hsdo, ...haproxyConfigArgs(places)];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      timeout: 20_000,
      signal,
      env: plainEnvironment(),
    });
    await writeFile(places.haproxyConfigPath, haproxyConfigText(stdout, places));
  } catch (cause) {
    signal.throwIfAborted();
    throw new HsdoError('unavailable', 'Cannot render haproxy.cfg for the demo', { cause });
  }
}

function operate({
  children,
  haproxy,
  startHsdo,
  places,
}: {
  readonly children: readonly Child[];
  readonly haproxy: Child;
  readonly startHsdo: StartHsdo;
  readonly places: DemoPlaces;
}) {
  // With a name it is the same voter after it was killed, so that nobody waits for the votes of the one before.
  const startServer = () => startHsdo(['server'], { API_LISTEN: places.apiListen, NODE_ID: 'server' });
  let server = startServer();
  const client = startHsdo(['client', 'dns']);
  let isServerWanted = true;
  return {
    reload: () => haproxy.signal('SIGUSR2'),
    startServer() {
      server = startServer();
      isServerWanted = true;
    },
    killServer() {
      isServerWanted = false;
      server.kill();
    },
    isServerRunning: () => server.isRunning(),
    loss() {
      const wanted = isServerWanted ? [haproxy, server, client] : [haproxy, client];
      const lost = wanted.find((child) => !child.isRunning());
      return lost && `${lost.what} ended:\n${lost.tail()}`;
    },
    logs: () => children.map((child) => `--- ${child.what} (pid ${child.pid})\n${child.tail()}`).join('\n'),
  };
}
