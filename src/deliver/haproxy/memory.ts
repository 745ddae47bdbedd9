import { z } from 'zod';
import type { Snapshot } from '../../model/snapshot.ts';
import { portSchema, snapshotSchema, weightSchema } from '../../model/snapshot-schema.ts';
import type { Log } from '../../telemetry/log.ts';
import { memoryFile, readMemory, writeMemory } from '../memory-file.ts';
import type { Remembered } from './decide.ts';

const what = 'the memory of HAProxy';

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
  return memoryFile(folder, 'haproxy', service);
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

/**
 * Reads what `saveMemory` wrote. No file is an empty memory. A file that cannot be used is set aside under the name
 * `.corrupt` with a warning, and the client starts without it; so does one that cannot be read, without touching it.
 */
export async function loadMemory(folder: string, service: string, log: Log): Promise<Memory> {
  const path = memoryPath(folder, service);
  const memory = await readMemory(path, (text) => parseMemory(text, service), { what, service, log });
  return memory ?? emptyMemory(service);
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
  await writeMemory(what, memoryPath(folder, memory.service), printMemory(memory), onWritten);
}
