import { afterEach, describe, expect, it } from 'vitest';
import type { Slot } from '../../src/model/slot.ts';
import type { Desired, Snapshot } from '../../src/model/snapshot.ts';
import type { Homes } from '../../src/publish/homes.ts';
import type { Term } from '../../src/publish/term.ts';
import { show, startAt, taken, target } from '../fixtures/lists.ts';
import { describeContent, free, listOf } from './homes-suite-content.ts';

/** One empty place and any number of processes on it. */
export interface HomesPlace {
  open(): Promise<Homes>;
  remove(): Promise<void>;
}

const never = new AbortController().signal;
const withSlot = (list: Desired, slot: Slot): Desired => ({
  ...list,
  slots: list.slots.map((before) => (before.index === slot.index ? slot : before)),
});

/** What every home of lease and snapshots promises, tried on the real engine. */
export function describeHomes(name: string, makePlace: () => Promise<HomesPlace>): void {
  describe(`the homes of lease and snapshots on ${name}`, () => {
    const ends: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });
    const openTwo = async (): Promise<readonly [Homes, Homes]> => {
      const place = await makePlace();
      ends.push(() => place.remove());
      const both = [await place.open(), await place.open()] as const;
      for (const homes of both) ends.push(() => homes.close());
      return both;
    };
    const lead = async ({ lease }: Homes, holder: string): Promise<Term> => {
      const current = await lease.read(never);
      const record = { holder, epoch: (current?.record.epoch ?? 0) + 1, ttlMs: 3000 };
      return (await lease.acquire(record, current?.version ?? null, never)).term;
    };
    const publish = (homes: Homes, previous: Snapshot | undefined, desired: Desired, term: Term) =>
      homes.snapshots.write(previous, desired, term, startAt, never);

    describe('the lease', () => {
      it('is not there at first, and then what its taker wrote', async () => {
        const [one, two] = await openTwo();
        expect(await two.lease.read(never)).toBeUndefined();
        const record = { holder: 'one', epoch: 1, ttlMs: 3000 };
        const { term, version } = await one.lease.acquire(record, null, never);
        expect(term.epoch).toBe(1);
        expect(await two.lease.read(never)).toEqual({ record, version });
      });

      it('goes to exactly one of many who want it at once', async () => {
        const [one, two] = await openTwo();
        let expected: string | null = null;
        for (let epoch = 1; epoch <= 3; epoch++) {
          const from: string | null = expected;
          const tries = await Promise.allSettled(
            Array.from({ length: 20 }, (_, n) =>
              (n % 2 ? one : two).lease.acquire({ holder: `${n}`, epoch, ttlMs: 3000 }, from, never),
            ),
          );
          const winners = tries.flatMap((t, n) => (t.status === 'fulfilled' ? [{ holder: `${n}`, ...t.value }] : []));
          expect(winners).toHaveLength(1);
          expect(
            tries.filter((t) => t.status === 'rejected' && (t.reason as { code?: string }).code !== 'conflict'),
          ).toEqual([]);
          const found = await one.lease.read(never);
          expect(found).toMatchObject({ record: { holder: winners[0]?.holder, epoch }, version: winners[0]?.version });
          expected = found?.version ?? null;
        }
      });

      it('moves its version with every renewal and never its fence', async () => {
        const [one, two] = await openTwo();
        const record = { holder: 'one', epoch: 1, ttlMs: 3000 };
        const { term, version } = await one.lease.acquire(record, null, never);
        const versions = [version];
        for (let n = 0; n < 3; n++) versions.push(await one.lease.renew(record, versions.at(-1) ?? '', never));
        expect(new Set(versions).size).toBe(4);
        expect((await two.lease.read(never))?.version).toBe(versions[3]);
        await expect(one.lease.renew(record, versions[2] ?? '', never)).rejects.toMatchObject({ code: 'conflict' });
        expect((await publish(one, undefined, listOf(3, 1), term)).revision).toBe(1);
      });

      it('is refused to its former holder once another has taken it, for renewals as for writes', async () => {
        const [one, two] = await openTwo();
        const first = await one.lease.acquire({ holder: 'one', epoch: 1, ttlMs: 3000 }, null, never);
        await two.lease.acquire({ holder: 'two', epoch: 2, ttlMs: 3000 }, first.version, never);
        const renewal = one.lease.renew({ holder: 'one', epoch: 1, ttlMs: 3000 }, first.version, never);
        await expect(renewal).rejects.toMatchObject({ code: 'conflict' });
        await expect(publish(one, undefined, listOf(3, 1), first.term)).rejects.toMatchObject({ code: 'conflict' });
        expect(await two.snapshots.read('web', never)).toBeUndefined();
      });

      it('never goes back to an epoch that has been', async () => {
        const [one] = await openTwo();
        const { version } = await one.lease.acquire({ holder: 'one', epoch: 5, ttlMs: 3000 }, null, never);
        for (const epoch of [4, 5]) {
          const again = one.lease.acquire({ holder: 'two', epoch, ttlMs: 3000 }, version, never);
          await expect(again).rejects.toMatchObject({ code: 'conflict' });
        }
      });

      it('can be handed back, and taken at once by the next', async () => {
        const [one, two] = await openTwo();
        const { version } = await one.lease.acquire({ holder: 'one', epoch: 1, ttlMs: 3000 }, null, never);
        await one.lease.renew({ holder: '', epoch: 1, ttlMs: 3000 }, version, never);
        expect((await two.lease.read(never))?.record).toEqual({ holder: '', epoch: 1, ttlMs: 3000 });
        expect((await lead(two, 'two')).epoch).toBe(2);
      });
    });

    describeContent({ openTwo, lead, publish });

    describe('the snapshots', () => {
      it('are not there before the first is published', async () => {
        const [one] = await openTwo();
        expect(await one.snapshots.revision('web', never)).toBe(0);
        expect(await one.snapshots.read('web', never)).toBeUndefined();
        await lead(one, 'one');
        expect(await one.snapshots.revision('web', never)).toBe(0);
        expect(await one.snapshots.read('web', never)).toBeUndefined();
      });

      it('rise by one revision with every write, and only on top of the last one', async () => {
        const [one, two] = await openTwo();
        const term = await lead(one, 'one');
        const first = await publish(one, undefined, listOf(3, 1), term);
        const second = await publish(one, first, listOf(3, 2), term);
        expect([first.revision, second.revision]).toEqual([1, 2]);
        for (const stale of [undefined, first]) {
          await expect(publish(two, stale, listOf(3, 3), term)).rejects.toMatchObject({ code: 'conflict' });
        }
        expect(await two.snapshots.read('web', never)).toStrictEqual(second);
      });

      it('are not even offered by a leader whose own clock has ended its term', async () => {
        const [one] = await openTwo();
        const term = await lead(one, 'one');
        const over = { ...term, isHeld: () => false };
        await expect(publish(one, undefined, listOf(3, 1), over)).rejects.toMatchObject({ code: 'conflict' });
        expect(await one.snapshots.revision('web', never)).toBe(0);
        expect((await publish(one, undefined, listOf(3, 1), { ...term, isHeld: () => true })).revision).toBe(1);
      });

      it('are never written by a leader whose term has ended, also where the next one has not written yet', async () => {
        const [one, two] = await openTwo();
        const old = await lead(one, 'one');
        const first = await publish(one, undefined, listOf(4, 2), old);
        const term = await lead(two, 'two');
        expect(await two.snapshots.read('web', never)).toStrictEqual(first);
        const late = publish(one, first, withSlot(first, taken(4, target('late'))), old);
        await expect(late).rejects.toMatchObject({ code: 'conflict' });
        const second = await publish(two, first, withSlot(first, free(1)), term);
        const later = publish(one, second, withSlot(second, taken(4, target('late'))), old);
        await expect(later).rejects.toMatchObject({ code: 'conflict' });
        expect(await one.snapshots.read('web', never)).toStrictEqual(second);
        expect(second).toMatchObject({ revision: 2, epoch: 2 });
      });

      it('are won by one of two leaders who believe in the same term', async () => {
        const [one, two] = await openTwo();
        const term = await lead(one, 'one');
        const first = await publish(one, undefined, listOf(4, 1), term);
        const tries = await Promise.allSettled([
          publish(one, first, listOf(4, 2), term),
          publish(two, first, listOf(4, 3), term),
        ]);
        const won = tries.flatMap((t) => (t.status === 'fulfilled' ? [t.value] : []));
        expect(won).toHaveLength(1);
        expect(await one.snapshots.read('web', never)).toStrictEqual(won[0]);
      });

      it('grow and shrink', async () => {
        const [one, two] = await openTwo();
        const term = await lead(one, 'one');
        let last: Snapshot | undefined;
        for (const [size, count] of [
          [3, 3],
          [120, 110],
          [90, 90],
          [2, 1],
          [0, 0],
          [5, 2],
        ] as const) {
          last = await publish(one, last, listOf(size, count), term);
          expect(show((await two.snapshots.read('web', never))?.slots ?? [])).toBe(show(listOf(size, count).slots));
        }
      });

      it('hold a thousand slots, and change them all', async () => {
        const [one, two] = await openTwo();
        const term = await lead(one, 'one');
        const first = await publish(one, undefined, listOf(1000, 1000), term);
        expect(await two.snapshots.read('web', never)).toStrictEqual(first);
        const moved = first.slots.map((slot) => ({ ...slot, joinedAt: startAt + 1 }) as Slot);
        const second = await publish(one, first, { ...first, slots: moved }, term);
        expect(await two.snapshots.read('web', never)).toStrictEqual(second);
        expect(await two.snapshots.revision('web', never)).toBe(second.revision);
      });
    });
  });
}
