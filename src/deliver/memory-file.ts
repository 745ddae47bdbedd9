import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeError, HsdoError } from '../model/error.ts';
import type { Log } from '../telemetry/log.ts';
import { pathOfNext, replaceFile } from './write-file.ts';

/** The file of one service; names of services never leave their folder. */
export function memoryFile(folder: string, prefix: string, service: string): string {
  return join(folder, `${prefix}-${encodeURIComponent(service).replaceAll('.', '%2E')}.json`);
}

/** What `replaceFile` had written but not yet on the disk. After a power cut it may be broken, and the file beside it counts. */
async function readNext<T>(path: string, parse: (text: string) => T): Promise<T | undefined> {
  try {
    return parse(await readFile(pathOfNext(path), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Reads what `writeMemory` wrote; `parse` throws at what it cannot use. Gives `undefined` where there is no file, or none
 * that can be used: such a file is set aside under the name `.corrupt` with a warning. One that cannot be read is left
 * as it is, with a warning, too. `what` names the memory for people, such as `the memory of HAProxy`.
 */
export async function readMemory<T>(
  path: string,
  parse: (text: string) => T,
  { what, service, log }: { readonly what: string; readonly service: string; readonly log: Log },
): Promise<T | undefined> {
  const next = await readNext(path, parse);
  if (next !== undefined) return next;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn({ service, path, reason: describeError(error) }, `${what} cannot be read and is left out`);
    return undefined;
  }
  try {
    return parse(text);
  } catch (error) {
    const reason = describeError(error).replaceAll(/\s+/g, ' ').slice(0, 300);
    log.warn({ service, path, reason }, `${what} is no file of hsdo and was set aside as .corrupt`);
    await rename(path, `${path}.corrupt`).catch(() => {});
    return undefined;
  }
}

/**
 * Writes a memory in one step, making its folder if needed. Resolves when the disk has it; `onWritten` as `replaceFile`
 * has it.
 *
 * @throws HsdoError `unavailable` when the disk refuses, naming the file.
 */
export async function writeMemory(what: string, path: string, text: string, onWritten?: () => void): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, text, 0o640, onWritten);
  } catch (cause) {
    throw new HsdoError('unavailable', `Cannot save ${what} in "${path}"`, { cause });
  }
}
