import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Remembered } from '../../../../src/deliver/haproxy/decide.ts';
import { createKeeper } from '../../../../src/deliver/haproxy/keeper.ts';
import {
  emptyMemory,
  loadMemory,
  type Memory,
  memoryPath,
  saveMemory,
} from '../../../../src/deliver/haproxy/memory.ts';
import { HsdoError } from '../../../../src/model/error.ts';
import { snapshotOf } from '../../../fixtures/delivery.ts';

let folder: string;
let lines: { msg: string }[];
const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as { msg: string }) });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-memory-'));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const known: Remembered = {
  targetId: 'i-1',
  address: '10.0.0.1',
  port: 80,
  admin: 'ready',
  isUp: true,
  manual: 'drain',
  initialWeight: 1,
  hasAgent: false,
};
const lodger = { id: 'i-1', name: 'one', address: '10.0.0.1', port: 80 };

function full(): Memory {
  const snapshot = snapshotOf([lodger, { target: lodger, override: 'maint' }, { target: lodger, isDraining: true }], 4);
  return { service: 'web/shop', snapshot, sockets: new Map([['/a.sock', new Map([['web', new Map([[1, known]])]])]]) };
}

describe('the memory of a client', () => {
  it('comes back as it was saved', async () => {
    const memory = full();
    await saveMemory(join(folder, 'made', 'on', 'demand'), memory);
    expect(await loadMemory(join(folder, 'made', 'on', 'demand'), 'web/shop', log)).toEqual(memory);
    expect(lines).toEqual([]);
  });

  it('is empty where there is none', async () => {
    expect(await loadMemory(folder, 'web', log)).toEqual(emptyMemory('web'));
    expect(lines).toEqual([]);
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, -20)],
    ['not JSON', () => 'hello'],
    ['of something else', () => '{"slots":[]}'],
    ['of another version', (text: string) => text.replace('memory-1', 'memory-9')],
    ['of another service', (text: string) => text.replace('"web/shop"', '"other"')],
    ['with an address that is none', (text: string) => text.replace('"10.0.0.1"', '"10.0.0.1; quit"')],
    ['with a weight of 300', (text: string) => text.replace('"weight":10', '"weight":300')],
    ['with a key too many', (text: string) => text.replace('"isUp":', '"extra":1,"isUp":')],
    ['empty', () => ''],
  ])('is set aside when the file is %s', async (_, spoil) => {
    await saveMemory(folder, full());
    const path = memoryPath(folder, 'web/shop');
    const spoiled = spoil(await readFile(path, 'utf8'));
    await writeFile(path, spoiled);
    expect(await loadMemory(folder, 'web/shop', log)).toEqual(emptyMemory('web/shop'));
    expect(await readFile(`${path}.corrupt`, 'utf8')).toBe(spoiled);
    expect(lines.map(({ msg }) => msg)).toEqual([
      'the memory of HAProxy is no file of hsdo and was set aside as .corrupt',
    ]);
  });

  it('never leaves its folder, whatever the service is called', () => {
    for (const service of ['../../etc/passwd', '..', 'a/b', 'ü'])
      expect(memoryPath('/f', service)).toMatch(/^\/f\/haproxy-[^/.]+\.json$/);
  });

  it('would survive the death of the process before the disk has it', async () => {
    const memory = full();
    await saveMemory(folder, emptyMemory('web/shop'));
    let early: Promise<Memory> | undefined;
    await saveMemory(folder, memory, () => {
      early = loadMemory(folder, 'web/shop', log);
    });
    expect(await early).toEqual(memory);
    expect(await loadMemory(folder, 'web/shop', log)).toEqual(memory);
  });

  it('is the newest that can be read, when the power was cut before the disk had the last one', async () => {
    const memory = full();
    await saveMemory(folder, memory);
    const path = memoryPath(folder, 'web/shop');
    const newer = (await readFile(path, 'utf8')).replace('"isUp":true', '"isUp":false');
    for (const broken of ['', newer.slice(0, 100), '\0'.repeat(newer.length)]) {
      await writeFile(`${path}.next`, broken);
      expect(await loadMemory(folder, 'web/shop', log)).toEqual(memory);
    }
    await writeFile(`${path}.next`, newer);
    const { sockets } = await loadMemory(folder, 'web/shop', log);
    expect(sockets.get('/a.sock')?.get('web')?.get(1)?.isUp).toBe(false);
    expect(lines).toEqual([]);
  });

  it('leaves no half-written file behind, and says what it could not save', async () => {
    await saveMemory(folder, full());
    await saveMemory(folder, full());
    expect(await readdir(folder)).toEqual(['haproxy-web%2Fshop.json']);
    const blocked = join(folder, 'haproxy-web%2Fshop.json', 'below');
    await expect(saveMemory(blocked, full())).rejects.toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

describe('the keeper of a memory', () => {
  it('saves changes only, several at once, and each before the answer', async () => {
    const saved: string[] = [];
    const memory = emptyMemory('web');
    const save = async (now: Memory) => {
      await new Promise((resolve) => setImmediate(resolve));
      saved.push([...(now.sockets.get('/a')?.keys() ?? [])].join());
    };
    const keeper = createKeeper({ memory, save, log });
    await keeper.saved();
    expect(saved).toEqual([]);
    expect(keeper.setServers('/a', 'one', new Map([[1, known]]))).toBe(true);
    const first = keeper.saved();
    expect(keeper.setServers('/a', 'two', new Map([[1, known]]))).toBe(true);
    await Promise.all([first, keeper.saved()]);
    expect(saved.at(-1)).toBe('one,two');
    const count = saved.length;
    expect(keeper.setServers('/a', 'two', new Map([[1, { ...known }]]))).toBe(false);
    await keeper.saved();
    expect(saved).toHaveLength(count);
    for (const change of [{ isUp: false }, { port: 81 }, { hasAgent: true }, { initialWeight: 2 }, { targetId: 'x' }])
      expect(keeper.setServers('/a', 'two', new Map([[1, { ...known, ...change }]]))).toBe(true);
  });

  it('lets go on what waits for a save before the disk has it, but neither the next save nor the end', async () => {
    const events: string[] = [];
    let sync = () => {};
    const save = (_: Memory, onWritten: () => void) => {
      events.push('written');
      onWritten();
      return new Promise<void>((resolve) => {
        sync = () => {
          events.push('on disk');
          resolve();
        };
      });
    };
    const keeper = createKeeper({ memory: emptyMemory('web'), save, log });
    keeper.setSnapshot(snapshotOf([]));
    await keeper.saved();
    await keeper.saved();
    expect(events).toEqual(['written']);
    keeper.setSnapshot(snapshotOf([lodger]));
    const second = keeper.saved();
    sync();
    await second;
    expect(events).toEqual(['written', 'on disk', 'written']);
    const end = keeper.settled().then(() => void events.push('end'));
    sync();
    await end;
    expect(events.slice(3)).toEqual(['on disk', 'end']);
  });

  it('goes on when the disk refuses, says so once, and saves when it can', async () => {
    let isFull = true;
    let saves = 0;
    const save = async () => {
      if (isFull) throw new HsdoError('unavailable', 'disk full');
      saves += 1;
    };
    const keeper = createKeeper({ memory: emptyMemory('web'), save, log });
    keeper.setSnapshot(snapshotOf([]));
    await keeper.saved();
    await keeper.saved();
    isFull = false;
    await keeper.saved();
    expect([saves, lines.length]).toEqual([1, 2]);
  });
});
