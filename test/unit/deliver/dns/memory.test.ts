import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dnsMemoryPath, loadDnsMemory, saveDnsMemory } from '../../../../src/deliver/dns/memory.ts';
import { snapshotOf, taken, target } from '../../../fixtures/lists.ts';
import { recordingLog } from '../../../fixtures/log.ts';

let folder: string;
let log: ReturnType<typeof recordingLog>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-memory-'));
  log = recordingLog();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const list = snapshotOf([taken(1, target('t1')), { state: 'free', index: 2 }], {
  service: 'web.shop',
  revision: 7,
  panic: { sinceAt: 5, serves: 'fallback', fallback: ['10.9.9.9', '2001:db8::1'] },
});

describe('the memory of DNS', () => {
  it('comes back as it was saved, the newest of several', async () => {
    const deep = join(folder, 'made', 'on', 'demand');
    await saveDnsMemory(deep, { ...list, revision: 6 });
    await saveDnsMemory(deep, list);
    expect(await loadDnsMemory(deep, 'web.shop', log)).toEqual(list);
    expect(await readdir(deep)).toEqual(['dns-web%2Eshop.json']);
    expect(log.lines).toEqual([]);
  });

  it('is nothing where there is none', async () => {
    expect(await loadDnsMemory(folder, 'web.shop', log)).toBeUndefined();
    expect(log.lines).toEqual([]);
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, -20)],
    ['of the HAProxy beside it', (text: string) => text.replace('hsdo-dns-', 'hsdo-haproxy-')],
    ['of another service', (text: string) => text.replace('"service":"web.shop"', '"service":"other"')],
    ['with an address that is none', (text: string) => text.replace('"10.9.9.9"', '"everywhere"')],
    ['empty', () => ''],
  ])('is set aside when the file is %s', async (_, spoil) => {
    await saveDnsMemory(folder, list);
    const path = dnsMemoryPath(folder, 'web.shop');
    const spoiled = spoil(await readFile(path, 'utf8'));
    await writeFile(path, spoiled);
    expect(await loadDnsMemory(folder, 'web.shop', log)).toBeUndefined();
    expect(await readFile(`${path}.corrupt`, 'utf8')).toBe(spoiled);
    expect(log.lines.map(({ message }) => message)).toEqual([
      'the memory of DNS is no file of hsdo and was set aside as .corrupt',
    ]);
  });

  it('names the file that cannot be saved', async () => {
    await writeFile(join(folder, 'taken'), '');
    await expect(saveDnsMemory(join(folder, 'taken'), list)).rejects.toThrow(/the memory of DNS in ".*taken\/dns-web/);
  });
});
