import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';

/** A program that the demo started and ends. */
export interface Child {
  readonly what: string;
  readonly pid: number;
  isRunning(): boolean;
  /** The last lines that it printed. */
  tail(): string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Ends it and everything that it started at once. */
  kill(): void;
  /** SIGTERM, then `kill` when it is still there after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

const tailChars = 4000;
const tailLines = 12;

/** All that a child sees of the environment: somebody's own settings of hsdo must not reach the demo. */
export function plainEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'NODE_OPTIONS'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/**
 * Starts a program in a process group of its own, so that a Ctrl-C on the terminal reaches the demo alone and the demo
 * decides in which order things end.
 */
export function startChild(
  what: string,
  command: string,
  args: readonly string[],
  options: { readonly clock: Clock; readonly env?: Readonly<Record<string, string>> },
): Child {
  const { clock, env = {} } = options;
  const child: ChildProcess = spawn(command, args, {
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let [printed, isRunning] = ['', true];
  const note = (chunk: Buffer | string) => {
    printed = `${printed}${chunk.toString()}`.slice(-tailChars);
  };
  child.stdout?.on('data', note);
  child.stderr?.on('data', note);
  const ended = new Promise<void>((resolve) => {
    const end = (how: string) => {
      isRunning = false;
      note(`(${what} ${how})\n`);
      resolve();
    };
    child.once('error', (error) => end(`did not start: ${error.message}`));
    child.once('exit', (code, signal) => end(`ended with ${signal ?? code}`));
  });
  let isGone = false;
  const kill = () => {
    // The group may outlive its leader (an old HAProxy worker, say); once it is gone its number may be another's.
    if (child.pid !== undefined && !isGone) killGroup(child.pid);
    isGone = true;
  };
  return {
    what,
    pid: child.pid ?? -1,
    isRunning: () => isRunning,
    tail: () => printed.trimEnd().split('\n').slice(-tailLines).join('\n'),
    ended,
    signal: (name) => void child.kill(name),
    kill,
    async stop(graceMs = 5000) {
      const waiting = new AbortController();
      if (isRunning) child.kill('SIGTERM');
      await Promise.race([ended, pause(clock, graceMs, undefined, waiting.signal)]);
      waiting.abort();
      kill();
      await ended;
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
