import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { describeError, HsdoError } from '../../model/error.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { portSchema, snapshotSchema, weightSchema } from '../../model/snapshot-schema.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Remembered } from './decide.ts';
import { pathOfNext, replaceFile } from './write-file.ts';

/** What a client must know of a service after its own restart, also while the store is away. */
export interface Memory {
  readonly service: string;
  /** The last list that came from the store. */
  snapshot?: Snapshot;
  /** By socket, backend and index: what was last seen done, and what operators hold by hand. */
  readonly sockets: Map<string, Map<string, ReadonlyMap<number, Remembered>>>;
}

const remembered = z.strictObject({
  targetId: z.string(),
  address: z.string(),
  port: portSchema,
  admin: z.enum(['ready', 'drain', 'maint']).exactOptional(),
  isUp: z.boolean(),
  manual: z.enum(['drain', 'maint']).exactOptional(),
  initialWeight: weightSchema,
  hasAgent: z.boolean(),
});

const file = z.strictObject({
  format: z.literal('hsdo-haproxy-memory-1'),
  service: z.string(),
  snapshot: snapshotSchema.exactOptional(),
  sockets: z.record(z.string(), z.record(z.string(), z.record(z.string().regex(/^[1-9]\d{0,6}$/), remembered))),
});

export function emptyMemory(service: string): Memory {
  return { service, sockets: new Map() };
}

/** The file of one service; names of services never leave their folder. */
export function memoryPath(folder: string, service: string): string {
  return join(folder, `haproxy-${encodeURIComponent(service).replaceAll('.', '%2E')}.json`);
}

function parseMemory(text: string, service: string): Memory {
  const content = file.parse(JSON.parse(text));
  if (content.service !== service) throw new Error(`it is of service "${content.service}"`);
  const sockets = new Map(
    Object.entries(content.sockets).map(([socket, backends]) => [
      socket,
      new Map(
        Object.entries(backends).map(([backend, servers]) => [
          backend,
          new Map(Object.entries(servers).map(([number, one]) => [Number(number), one])),
        ]),
      ),
    ]),
  );
  return { service, sockets, ...(content.snapshot ? { snapshot: content.snapshot } : {}) };
}

/** What `saveMemory` had written but not yet on the disk. After a power cut it may be broken, and the file beside it counts. */
async function loadNext(path: string, service: string): Promise<Memory | undefined> {
  try {
    return parseMemory(await readFile(pathOfNext(path), 'utf8'), service);
  } catch {
    return undefined;
  }
}

/**
 * Reads what `saveMemory` wrote. No file is an empty memory. A file that cannot be used is set aside under the name
 * `.corrupt` with a warning, and the client starts without it; so does one that cannot be read, without touching it.
 */
export async function loadMemory(folder: string, service: string, log: Log): Promise<Memory> {
  const path = memoryPath(folder, service);
  const next = await loadNext(path, service);
  if (next) return next;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn({ service, path, reason: describeError(error) }, 'the memory of HAProxy cannot be read and is left out');
    return emptyMemory(service);
  }
  try {
    return parseMemory(text, service);
  } catch (error) {
    const reason = describeError(error).replaceAll(/\s+/g, ' ').slice(0, 300);
    log.warn({ service, path, reason }, 'the memory of HAProxy is no file of hsdo and was set aside as .corrupt');
    await rename(path, `${path}.corrupt`).catch(() => {});
    return emptyMemory(service);
  }
}

/** The largest part of the text, and mostly the same as at the save before. */
const printedSnapshots = new WeakMap<Snapshot, string>();

function printSnapshot(snapshot: Snapshot): string {
  const text = printedSnapshots.get(snapshot) ?? JSON.stringify(snapshot);
  printedSnapshots.set(snapshot, text);
  return text;
}

function printMemory(memory: Memory): string {
  const sockets = Object.fromEntries(
    [...memory.sockets].map(([socket, backends]) => [
      socket,
      Object.fromEntries([...backends].map(([backend, servers]) => [backend, Object.fromEntries(servers)])),
    ]),
  );
  const snapshot = memory.snapshot ? `"snapshot":${printSnapshot(memory.snapshot)},` : '';
  const start = `"format":"hsdo-haproxy-memory-1","service":${JSON.stringify(memory.service)}`;
  return `{${start},${snapshot}"sockets":${JSON.stringify(sockets)}}\n`;
}

/**
 * Writes the memory in one step, making the folder if needed. Resolves when the disk has it. `onWritten` is called some
 * 20 ms earlier, when the death of this process cannot lose it any more; that is enough for commands to go out, since a
 * power cut takes the state of HAProxy along with what this file says about it. One save of a service at a time.
 *
 * @throws HsdoError `unavailable` when the disk refuses, naming the file.
 */
export async function saveMemory(folder: string, memory: Memory, onWritten: () => void = () => {}): Promise<void> {
  const path = memoryPath(folder, memory.service);
  const text = printMemory(memory);
  try {
    await mkdir(folder, { recursive: true });
    await replaceFile(path, text, 0o640, onWritten);
  } catch (cause) {
    throw new HsdoError('unavailable', `Cannot save the memory of HAProxy in "${path}"`, { cause });
  }
}
