import { expect, it } from 'vitest';
import type { Slot } from '../../src/model/slot.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { describeWith } from '../fixtures/component.ts';
import { lead, listOf, publish, useHsdoTable } from '../fixtures/hsdo-table.ts';
import { taken, target } from '../fixtures/lists.ts';
import { motoPrograms } from '../fixtures/moto.ts';

const never = new AbortController().signal;
const size = 400;
const groupOf = (slot: Slot | undefined) => (slot?.state === 'taken' ? slot.target.group : 'free');

/** The slots that round `n` writes, each a different burden for readers. */
const writers: readonly [string, (n: number) => readonly number[]][] = [
  ['always the same slot', () => [200]],
  ['a slot here and there', (n) => [1 + ((n * 397) % size)]],
  ['the first and the last slot', () => [1, size]],
  [
    'ninety-nine slots, the next ones each time',
    (n) => Array.from({ length: 99 }, (_, i) => 1 + ((n * 99 + i) % size)),
  ],
  ['ninety-nine slots in no order', (n) => Array.from({ length: 99 }, (_, i) => 1 + ((n * 31 + i * 7) % size))],
];

describeWith(motoPrograms, "HSDO's table under a leader that never rests", () => {
  const stage = useHsdoTable();

  it.each(writers)('shows whole rounds to both of two readers at every read: %s', async (_, indexesOf) => {
    const writer = await stage.open();
    const readers = [await stage.open({ endpoint: stage.proxy.endpoint }), await stage.open()];
    const term = await lead(writer);
    let last = await publish(writer, undefined, listOf(size, 'r0'), term);
    const written = new Map<number, Snapshot>([[last.revision, last]]);
    let readsLeft = 10;
    const torn: string[] = [];
    const watching = readers.map(async ({ snapshots }) => {
      for (let before = 0; readsLeft > 0; readsLeft -= 1) {
        const found = await snapshots.read('web', never);
        const expected = written.get(found?.revision ?? 0) ?? (await nextWritten(found?.revision ?? 0));
        const wrong = expected.slots.filter((slot, n) => groupOf(slot) !== groupOf(found?.slots[n]));
        if (wrong.length > 0) torn.push(`${found?.revision}: ${wrong.map(({ index }) => index).join()}`);
        if ((found?.revision ?? 0) < before) torn.push(`back from ${before} to ${found?.revision}`);
        before = found?.revision ?? 0;
      }
    });
    // A reader may see a revision before the writer has its answer.
    const waiting = new Map<number, (snapshot: Snapshot) => void>();
    const nextWritten = (revision: number) => new Promise<Snapshot>((resolve) => waiting.set(revision, resolve));
    while (readsLeft > 0 || waiting.size > 0) {
      const moved = new Set(indexesOf(last.revision));
      const slots = last.slots.map((slot) =>
        moved.has(slot.index) ? taken(slot.index, target(`t${slot.index}`, { group: `r${last.revision}` })) : slot,
      );
      last = await publish(writer, last, { ...last, slots }, term);
      written.set(last.revision, last);
      waiting.get(last.revision)?.(last);
      waiting.delete(last.revision);
    }
    await Promise.all(watching);
    const tries = stage.proxy.count('Scan');
    console.log(`${tries} scans for about 5 reads beside ${written.size} rounds`);
    expect(torn).toEqual([]);
    expect(written.size).toBeGreaterThan(2);
  });
});
