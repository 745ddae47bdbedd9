import { access, constants, open, stat } from 'node:fs/promises';

/** Of a first line that names an interpreter, Linux reads so much (execve(2)). */
const mostBytes = 256;

/**
 * Why the system would not start a file for this user, without starting it; `undefined` where nothing speaks against that.
 *
 * @param path - Absolute, or relative to the working directory.
 */
export async function startFault(path: string): Promise<string | undefined> {
  const seen = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
  if (typeof seen === 'string') return seen === 'ENOENT' ? 'is not there' : `cannot be looked at: ${seen}`;
  if (!seen.isFile()) return 'is no file';
  if (!(await mayStart(path))) return 'is not executable for this user';
  const beginning = await beginningOf(path);
  // What may be started need not be readable.
  if (beginning === undefined || beginning.startsWith('\x7fELF')) return undefined;
  const interpreter = /^#![ \t]*([^\s]+)/.exec(beginning)?.[1];
  if (interpreter === undefined) return 'begins with neither #! nor a program of this system';
  return (await mayStart(interpreter)) ? undefined : `wants the interpreter ${interpreter}, which cannot be started`;
}

const mayStart = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function beginningOf(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  try {
    const read = await file?.read({ buffer: Buffer.alloc(mostBytes), position: 0 });
    return read?.buffer.toString('latin1', 0, read.bytesRead);
  } finally {
    await file?.close();
  }
}
