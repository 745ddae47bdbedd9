import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Clock } from '../time/clock.ts';

/** How a program ended. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 4 KiB of what it printed, both streams in the order of their arrival. */
  readonly output: string;
  /** The first 4 KiB of each stream. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

const mostBytes = 4096;
/** How long to wait for the rest of the output where a process that left the group keeps it open. */
const restMs = 100;

/**
 * Runs a program to its end, without a shell and with nothing to read. It and what it starts are one process group, of
 * which nothing is left once the call is over: not when the signal is aborted, and not when the program ends by itself.
 *
 * @throws the signal's reason when that is aborted first, and Node's error where the program cannot be started, such as
 * ENOENT, EACCES, or EPERM for one whose capabilities the process may not have.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  { env, clock }: Surroundings,
  signal: AbortSignal,
): Promise<Ended> {
  signal.throwIfAborted();
  const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const closed = once(child, 'close');
  // Where starting fails, the wait for the end tells of it.
  closed.catch(() => {});
  const output = keepOutput(child);
  try {
    const [code, name] = (await endOf(child, signal)) as [number | null, NodeJS.Signals | null];
    await soon(closed, clock);
    return { code, signal: name, ...output() };
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

async function endOf(child: ChildProcess, signal: AbortSignal): Promise<unknown[]> {
  try {
    return await once(child, 'exit', { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    killGroup(child);
  }
}

/** Called once, at the end of the leader or before: its number is nobody else's while the group has members. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function soon(closed: Promise<unknown>, clock: Clock): Promise<void> {
  const waiting = new AbortController();
  const rest = clock.sleep(restMs, waiting.signal).catch(() => {});
  await Promise.race([closed, rest]);
  waiting.abort();
}

/** Collects the end of both streams together and the beginning of each; without a free file descriptor there are none. */
function keepOutput({ stdout, stderr }: ChildProcess): () => Pick<Ended, 'output' | 'stdout' | 'stderr'> {
  let end: Buffer = Buffer.alloc(0);
  const beginningOf = (stream: Readable | null) => {
    let kept: Buffer = Buffer.alloc(0);
    stream?.on('data', (chunk: Buffer) => {
      end = Buffer.concat([end, chunk]).subarray(-mostBytes);
      if (kept.length < mostBytes) kept = Buffer.concat([kept, chunk]).subarray(0, mostBytes);
    });
    return () => kept.toString('utf8');
  };
  const [out, err] = [beginningOf(stdout), beginningOf(stderr)];
  return () => ({ output: end.toString('utf8'), stdout: out(), stderr: err() });
}

/** How it ended, and why by a line of its own: `ended with code 3: no route to host`. */
export function describeEnd({ code, signal }: Pick<Ended, 'code' | 'signal'>, line: string): string {
  const end = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  return line === '' ? end : `${end}: ${line}`;
}

/** The first line that says something, printable and at most 200 characters long; empty when there is none. */
export const firstLine = (output: string): string =>
  linesOf(output)
    .find((line) => line !== '')
    ?.slice(0, 200) ?? '';

/** The last line that says something, printable and at most 200 characters long; empty when there is none. */
export const lastLine = (output: string): string =>
  linesOf(output)
    .findLast((line) => line !== '')
    ?.slice(0, 200) ?? '';

const linesOf = (output: string) => output.split(/[\r\n]/).map((line) => line.replace(/\p{C}/gu, '').trim());

/** The part of our own environment that a program is given. */
export function leanEnvironment(language = process.env['LANG']): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME } = process.env;
  return { PATH, ...(HOME === undefined ? {} : { HOME }), ...(language === undefined ? {} : { LANG: language }) };
}
