import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { type Child, plainEnvironment, startChild } from './children.ts';
import { freePort } from './free-port.ts';
import { findHaproxy } from './haproxy-program.ts';
import { configText, type DemoPlaces, haproxyConfigArgs, haproxyConfigText, placesIn, size } from './settings.ts';
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
    await rm(folder, { recursive: true, force: true });
    process.off('exit', closeNow);
  };
  try {
    const ports = { api: await freePort(), frontend: await freePort(), page: await freePort() };
    const places = placesIn(folder, ports);
    targets = await openTargets(size, places.targetsPath);
    await writeFile(places.configPath, configText(places));
    const hsdo = [...entry, '--config', places.configPath];
    await writeHaproxyConfig(hsdo, places, signal);
    const haproxyArgs = ['-W', '-S', places.masterPath, '-f', places.haproxyConfigPath];
    const haproxy = startChild('haproxy', haproxyProgram, haproxyArgs, { clock });
    children.push(haproxy);
    const startHsdo = (role: 'server' | 'client', env: Record<string, string>) => {
      const child = startChild(`hsdo --${role}`, process.execPath, [...hsdo, `--${role}`], { clock, env });
      children.push(child);
      return child;
    };
    return { places, targets, close, closeNow, ...operate({ children, haproxy, startHsdo, places }) };
  } catch (error) {
    await close();
    throw error;
  }
}

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
  readonly startHsdo: (role: 'server' | 'client', env: Record<string, string>) => Child;
  readonly places: DemoPlaces;
}) {
  const startServer = () => startHsdo('server', { API_LISTEN: places.apiListen });
  let server = startServer();
  const client = startHsdo('client', {});
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
