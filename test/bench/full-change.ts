import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyMemory, saveMemory } from '../../src/deliver/haproxy/memory.ts';
import type { Haproxy } from '../fixtures/haproxy.ts';
import { contest, figuresOf, ratioOf } from './contest.ts';
import type { Section } from './figures.ts';
import { asBatch, oneByOne } from './haproxy-prompt.ts';
import { assertInPlace, createLooker, fullList, plannedCommands, type WantedList } from './hsdo-pass.ts';
import { freeAll, slotCount, startThousand } from './thousand.ts';

const name = 'full-change';

type Part = Omit<Section, 'name' | 'title'>;

/** Where every run starts, and where it must end. */
interface Change {
  readonly label: string;
  readonly prepare: () => Promise<void>;
  readonly wanted: WantedList;
}

async function measure(haproxy: Haproxy, looker: ReturnType<typeof createLooker>, change: Change): Promise<Part> {
  const { prepare, wanted, label } = change;
  const verify = () => assertInPlace(haproxy, wanted);
  await prepare();
  const commands = await plannedCommands(haproxy, wanted);
  const results = await contest(
    {
      hsdo: { prepare, run: () => looker.look(wanted), verify, times: 4 },
      batch: { prepare, run: () => asBatch(haproxy.socketPath, commands), verify, times: 4 },
      single: { prepare, run: () => oneByOne(haproxy.socketPath, commands), verify },
    },
    { rounds: 5, warmUps: 2 },
  );
  return {
    figures: [
      ...figuresOf(`${label}: hsdo`, results.hsdo),
      ...figuresOf(`${label}: raw batch`, results.batch),
      ...figuresOf(`${label}: one connection each`, results.single),
    ],
    ratios: [
      ratioOf(`${label}: one connection each / hsdo`, results.single, results.hsdo, {
        text: 'at least 10',
        holds: (ratio) => ratio >= 10,
      }),
      ratioOf(`${label}: hsdo / raw batch`, results.hsdo, results.batch, {
        text: 'at most 1.5',
        holds: (ratio) => ratio <= 1.5,
      }),
    ],
    notes: [
      `${label}: ${commands.length} commands, such as ${commands.slice(0, commands.length / slotCount).join(', ')}.`,
    ],
  };
}

/** 1000 free slots get a target each. */
async function fill(hasChecks: boolean, label: string): Promise<Part> {
  const haproxy = await startThousand({ hasChecks });
  try {
    const looker = createLooker(haproxy.socketPath);
    const prepare = async () => {
      await freeAll(haproxy);
      looker.forgetAll();
    };
    return await measure(haproxy, looker, { label, prepare, wanted: fullList('10.1', 10) });
  } finally {
    await haproxy.stop();
  }
}

/** 1000 targets that serve are replaced by others. Here hsdo also writes its memory before it sends. */
async function replace(label: string): Promise<Part> {
  const haproxy = await startThousand({ hasChecks: true });
  const folder = await mkdtemp(join(tmpdir(), 'hsdo-bench-'));
  try {
    const memory = emptyMemory('web');
    let syncing = Promise.resolve();
    const looker = createLooker(haproxy.socketPath, async (backend, remembered) => {
      memory.sockets.set(haproxy.socketPath, new Map([[backend, remembered]]));
      // As the keeper does: the commands go once the text is written, the disk has it later.
      await new Promise<void>((resolve, reject) => {
        syncing = syncing.then(() => saveMemory(folder, memory, resolve));
        syncing.catch(reject);
      });
    });
    const before = fullList('10.1', 10);
    const prepare = async () => {
      await syncing;
      await freeAll(haproxy);
      looker.forgetAll();
      await looker.look(before);
    };
    return await measure(haproxy, looker, { label, prepare, wanted: fullList('10.2', 20) });
  } finally {
    await haproxy.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Address, weight and state of every slot change at once. */
export async function fullChange(): Promise<Section> {
  const parts = [
    await fill(false, 'fill, no checks'),
    await fill(true, 'fill, delivered template'),
    await replace('replace all, delivered template'),
  ];
  return {
    name,
    title: 'Address, weight and state of 1000 slots change at once',
    figures: parts.flatMap(({ figures }) => figures),
    ratios: parts.flatMap(({ ratios }) => ratios),
    notes: [
      'hsdo reads the state, plans, sends, reads back and verifies; the raw batch sends the same commands blindly.',
      ...parts.flatMap(({ notes }) => notes),
    ],
  };
}
