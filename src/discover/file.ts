import { watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { readList } from './file-sd.ts';
import { showValue } from './show.ts';
import type { DiscoverySource, Sighting, SourceContext } from './source.ts';

export const fileSchema = z.strictObject({
  kind: z.literal('file'),
  /** JSON where the name ends with .json, YAML otherwise. */
  path: z.string().min(1),
});

const largestBytes = 16 * 1024 * 1024;
/** A writer that does not rename makes the file empty first: it gets this time before anybody reads. */
const settleMs = 10;

/**
 * Targets of a JSON or YAML file, read anew when it changes. A file that is missing, empty, unreadable or changed while
 * it was read cannot be known; `[]` says that there are none. Whoever writes it should write another file and rename it,
 * since half a YAML list may well be a list too.
 */
export function createFileSource(config: z.output<typeof fileSchema>, context: SourceContext): DiscoverySource {
  const path = resolve(context.baseFolder ?? '.', config.path);
  let seen: string | undefined;

  return {
    async discover(signal) {
      seen = await markOf(path);
      return parseList(path, await readWhole(path, signal));
    },
    async changed(signal) {
      await changeOf(path, () => seen, signal);
      await context.clock.sleep(settleMs, signal);
    },
  };
}

/** Resolves when the file may differ from the state that `seen` gives; links on the way to it may be replaced, too. */
function changeOf(path: string, seen: () => string | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolved, rejected) => {
    // The watch stands before the first look, so that nothing can slip in between.
    const watcher = watch(dirname(path), { signal, persistent: false });
    const settle = () => {
      resolved();
      watcher.close();
    };
    const look = async () => {
      if ((await markOf(path)) !== seen()) settle();
    };
    watcher.on('change', (_, name) => (name === basename(path) ? settle() : void look()));
    watcher.on('error', rejected);
    watcher.on('close', () => rejected(signal.aborted ? signal.reason : new Error(`the watch of "${path}" ended`)));
    void look();
  });
}

/** What tells one state of a file from another; links are followed. That it is not there is a state, too. */
async function markOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return `none: ${String((error as NodeJS.ErrnoException).code)}`;
  }
}

async function readWhole(path: string, signal: AbortSignal): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) throw new Error('expected a regular file');
    if (before.size > largestBytes) throw new Error(`it has ${before.size} bytes, expected at most ${largestBytes}`);
    const bytes = await file.readFile({ signal });
    const after = await file.stat({ bigint: true });
    const isStill = before.mtimeNs === after.mtimeNs && after.size === BigInt(bytes.length);
    if (!isStill) throw new Error('it changed while it was read');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    signal.throwIfAborted();
    throw new HsdoError('unavailable', `Cannot read targets from file "${path}"`, { cause: error });
  } finally {
    await file?.close();
  }
}

function parseList(path: string, text: string): readonly Sighting[] {
  const content = parseContent(path, text);
  if (Array.isArray(content)) return readList(content, 'file');
  const found = content === null || content === undefined ? 'nothing' : showValue(content);
  const wanted = 'expected a list of targets, or [] for none';
  throw new HsdoError('unavailable', `Cannot read targets from file "${path}": it holds ${found}, ${wanted}`);
}

function parseContent(path: string, text: string): unknown {
  try {
    // The limit on aliases keeps a small file from becoming a large list.
    return path.endsWith('.json')
      ? JSON.parse(text)
      : parseYaml(text, { maxAliasCount: 100, uniqueKeys: true, logLevel: 'error' });
  } catch (error) {
    throw new HsdoError('unavailable', `Cannot parse file "${path}": expected a list of targets in JSON or YAML`, {
      cause: error,
    });
  }
}
