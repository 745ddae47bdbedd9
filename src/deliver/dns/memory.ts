import { z } from 'zod';
import type { Snapshot } from '../../model/snapshot.ts';
import { snapshotSchema } from '../../model/snapshot-schema.ts';
import type { Log } from '../../telemetry/log.ts';
import { memoryFile, readMemory, writeMemory } from '../memory-file.ts';

const what = 'the memory of DNS';

const file = z.strictObject({
  format: z.literal('hsdo-dns-memory-1'),
  service: z.string(),
  snapshot: snapshotSchema,
});

/** The file of one service; names of services never leave their folder. */
export function dnsMemoryPath(folder: string, service: string): string {
  return memoryFile(folder, 'dns', service);
}

function parseMemory(text: string, service: string): Snapshot {
  const content = file.parse(JSON.parse(text));
  const of = [content.service, content.snapshot.service].find((name) => name !== service);
  if (of !== undefined) throw new Error(`it is of service "${of}"`);
  return content.snapshot;
}

/**
 * Reads the last list that `saveDnsMemory` wrote, from which names are answered before the store is reached. Gives
 * `undefined` where there is none that can be used: a broken file is set aside under the name `.corrupt` with a warning.
 */
export function loadDnsMemory(folder: string, service: string, log: Log): Promise<Snapshot | undefined> {
  return readMemory(dnsMemoryPath(folder, service), (text) => parseMemory(text, service), { what, service, log });
}

/**
 * Writes a list in one step, making the folder if needed. Resolves when the disk has it. One save of a service at a time.
 *
 * @throws HsdoError `unavailable` when the disk refuses, naming the file.
 */
export function saveDnsMemory(folder: string, snapshot: Snapshot): Promise<void> {
  const { service } = snapshot;
  const text = `${JSON.stringify({ format: 'hsdo-dns-memory-1', service, snapshot })}\n`;
  return writeMemory(what, dnsMemoryPath(folder, service), text);
}
