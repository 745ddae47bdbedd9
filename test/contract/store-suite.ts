import { afterEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { maxCommitChanges } from '../../src/store/store.ts';
import { until } from '../fixtures/until.ts';

/** One empty place and any number of handles on it, as processes would hold them. */
export interface StorePlace {
  open(): Promise<Store>;
  remove(): Promise<void>;
}

const never = new AbortController().signal;

/** What every store promises, tried on the real engine. */
export function describeStore(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`the store contract on ${name}`, () => {
    const ends: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });
    const openHandles = async (count: number): Promise<Store[]> => {
      const place = await makePlace();
      ends.push(() => place.remove());
      const stores: Store[] = [];
      for (let n = 0; n < count; n++) {
        const store = await place.open();
        ends.push(() => store.close());
        stores.push(store);
      }
      return stores;
    };
    const openOne = async (): Promise<Store> => {
      const [store] = await openHandles(1);
      if (!store) throw new Error('no store was opened');
      return store;
    };
    const put = async (store: Store, key: string, value: string, expect?: string | null) => {
      const change = { op: 'put', key, value, ...(expect === undefined ? {} : { expect }) } as const;
      return (await store.commit([change], never)).get(key) ?? '';
    };

    describe('reading', () => {
      it('has no entry under a key that was never written', async () => {
        const store = await openOne();
        expect(await store.get('nothing', never)).toBeUndefined();
        expect(await store.list('', never)).toEqual([]);
      });

      it('gives back what was put, with the version that the commit told', async () => {
        const store = await openOne();
        const version = await put(store, 'lease', '{"holder":"a"}');
        expect(await store.get('lease', never)).toEqual({ key: 'lease', value: '{"holder":"a"}', version });
        expect((await store.get('lease', never, { mayBeStale: true }))?.key).toBe('lease');
      });

      it('keeps every text as it is: empty, unicode, quotes, 200 KiB', async () => {
        const store = await openOne();
        const texts = ['', '"\'\\\n\r\t', 'grün 東京 👩‍👩‍👧 \u0000 end', 'ä'.repeat(100 * 1024)];
        for (const text of texts) {
          await put(store, 'text', text);
          expect((await store.get('text', never))?.value === text).toBe(true);
        }
      });

      it('lists what begins with the prefix and nothing else, ordered by key', async () => {
        const store = await openOne();
        const keys = ['a', 'a/2', 'a/1', 'a/10', 'ab', 'a%1', 'a_1', 'A/1', 'a/~', 'b/1'];
        await store.commit(
          keys.map((key) => ({ op: 'put', key, value: key }) as const),
          never,
        );
        expect((await store.list('a/', never)).map((entry) => entry.key)).toEqual(['a/1', 'a/10', 'a/2', 'a/~']);
        expect((await store.list('a_', never)).map((entry) => entry.key)).toEqual(['a_1']);
        expect((await store.list('', never)).map((entry) => entry.key)).toEqual([...keys].sort());
        expect(await store.list('a/1/', never)).toEqual([]);
      });

      it('lists more than one page of an engine holds', async () => {
        const store = await openOne();
        const value = 'x'.repeat(200 * 1024);
        for (let n = 10; n < 22; n++) await put(store, `page/${n}`, value);
        const entries = await store.list('page/', never);
        expect(entries.map((entry) => entry.key)).toEqual(Array.from({ length: 12 }, (_, n) => `page/${n + 10}`));
        expect(entries.every((entry) => entry.value === value)).toBe(true);
      });
    });

    describe('committing', () => {
      it('creates a key only where there is none, when asked so', async () => {
        const store = await openOne();
        await put(store, 'k', 'first', null);
        await expect(put(store, 'k', 'second', null)).rejects.toMatchObject({ code: 'conflict' });
        expect((await store.get('k', never))?.value).toBe('first');
      });

      it('replaces and removes a key only at the expected version', async () => {
        const store = await openOne();
        const first = await put(store, 'k', '1');
        const second = await put(store, 'k', '2', first);
        expect(second).not.toBe(first);
        await expect(put(store, 'k', '3', first)).rejects.toMatchObject({ code: 'conflict' });
        await expect(store.commit([{ op: 'delete', key: 'k', expect: first }], never)).rejects.toMatchObject({
          code: 'conflict',
        });
        await store.commit([{ op: 'delete', key: 'k', expect: second }], never);
        expect(await store.get('k', never)).toBeUndefined();
      });

      it('writes and removes whatever is there where nothing is expected', async () => {
        const store = await openOne();
        await put(store, 'k', '1');
        await put(store, 'k', '2');
        expect((await store.get('k', never))?.value).toBe('2');
        await store.commit([{ op: 'delete', key: 'k' }], never);
        await store.commit([{ op: 'delete', key: 'k' }], never);
        expect(await store.get('k', never)).toBeUndefined();
      });

      it('never uses a version again, also not for a key that was removed and made anew', async () => {
        const store = await openOne();
        const versions: string[] = [];
        for (let n = 0; n < 5; n++) {
          versions.push(await put(store, 'k', 'same', null));
          versions.push(await put(store, 'k', 'same'));
          await store.commit([{ op: 'delete', key: 'k' }], never);
        }
        expect(new Set(versions).size).toBe(versions.length);
        await put(store, 'k', 'same', null);
        await expect(put(store, 'k', 'late', versions[0] ?? '')).rejects.toMatchObject({ code: 'conflict' });
      });

      it('applies all changes of a commit or none', async () => {
        const store = await openOne();
        const epoch = await put(store, 'epoch', '1');
        const gone = await put(store, 'gone', 'x');
        const changes = [
          { op: 'put', key: 'a', value: '1' },
          { op: 'delete', key: 'gone', expect: gone },
          { op: 'check', key: 'epoch', expect: 'no such version' },
          { op: 'put', key: 'b', value: '1', expect: null },
        ] as const;
        await expect(store.commit(changes, never)).rejects.toMatchObject({ code: 'conflict' });
        expect((await store.list('', never)).map((entry) => entry.key)).toEqual(['epoch', 'gone']);

        const told = await store.commit(
          changes.map((change) => (change.op === 'check' ? { ...change, expect: epoch } : change)),
          never,
        );
        expect((await store.list('', never)).map((entry) => entry.key)).toEqual(['a', 'b', 'epoch']);
        expect([...told.keys()].sort()).toEqual(['a', 'b']);
        expect((await store.get('a', never))?.version).toBe(told.get('a'));
      });

      it('lets a commit that only checks pass or fail without changing anything', async () => {
        const store = await openOne();
        const version = await put(store, 'k', '1');
        const check = (key: string, expect: string | null) => store.commit([{ op: 'check', key, expect }], never);
        expect((await check('k', version)).size).toBe(0);
        expect((await check('other', null)).size).toBe(0);
        await expect(check('k', null)).rejects.toMatchObject({ code: 'conflict' });
        await expect(check('other', version)).rejects.toMatchObject({ code: 'conflict' });
        expect((await store.get('k', never))?.version).toBe(version);
      });

      it('lets exactly one of forty racers win, round after round', async () => {
        const stores = await openHandles(4);
        let version: string | null = null;
        for (let round = 0; round < 5; round++) {
          const expect_ = version;
          const tries = await Promise.allSettled(
            Array.from({ length: 40 }, (_, n) => put(stores[n % 4] as Store, 'lease', `racer ${n}`, expect_)),
          );
          const won = tries.flatMap((t, n) => (t.status === 'fulfilled' ? [{ n, version: t.value }] : []));
          const codes = tries.flatMap((t) => (t.status === 'rejected' ? [(t.reason as { code?: string }).code] : []));
          expect(won).toHaveLength(1);
          expect(new Set(codes)).toEqual(new Set(['conflict']));
          const entry = await (stores[3] as Store).get('lease', never);
          expect(entry).toMatchObject({ value: `racer ${won[0]?.n}`, version: won[0]?.version });
          version = entry?.version ?? null;
        }
      });

      it('takes as many changes as the contract says and refuses one more, before anything is written', async () => {
        const store = await openOne();
        const many = Array.from(
          { length: maxCommitChanges + 1 },
          (_, n) => ({ op: 'put', key: `k/${n}`, value: '' }) as const,
        );
        await expect(store.commit(many, never)).rejects.toMatchObject({ code: 'rejected' });
        expect(await store.list('', never)).toEqual([]);
        expect((await store.commit(many.slice(1), never)).size).toBe(maxCommitChanges);
      });

      it('refuses what no engine could keep', async () => {
        const store = await openOne();
        const bad = [
          [],
          [{ op: 'put', key: '', value: '' }],
          [{ op: 'put', key: 'line\nbreak', value: '' }],
          [{ op: 'put', key: 'ü', value: '' }],
          [{ op: 'put', key: 'k'.repeat(513), value: '' }],
          [{ op: 'put', key: 'k', value: 'x'.repeat(256 * 1024 + 1) }],
          [{ op: 'put', key: 'k', value: 'half \ud83d' }],
          [
            { op: 'put', key: 'k', value: '1' },
            { op: 'delete', key: 'k' },
          ],
        ] as const;
        for (const changes of bad)
          await expect(store.commit(changes, never)).rejects.toMatchObject({ code: 'rejected' });
        await expect(store.get('ü', never)).rejects.toMatchObject({ code: 'rejected' });
        expect(await store.list('', never)).toEqual([]);
      });
    });

    describe('stopping', () => {
      it('does nothing for a caller that has already given up', async () => {
        const store = await openOne();
        const reason = new Error('stopped');
        const gone = AbortSignal.abort(reason);
        await expect(store.get('k', gone)).rejects.toBe(reason);
        await expect(store.list('', gone)).rejects.toBe(reason);
        await expect(store.commit([{ op: 'put', key: 'k', value: '' }], gone)).rejects.toBe(reason);
        expect(await store.get('k', never)).toBeUndefined();
      });

      it('may be closed twice', async () => {
        const store = await openOne();
        await store.close();
        await store.close();
      });
    });

    describe('between handles', () => {
      it('shows a commit to every other handle at once', async () => {
        const [one, two] = (await openHandles(2)) as [Store, Store];
        const version = await put(one, 'k', '1');
        expect((await two.get('k', never))?.version).toBe(version);
        await put(two, 'k', '2', version);
        expect((await one.get('k', never))?.value).toBe('2');
      });

      it('tells of changes under the prefix by anybody, removals too, and of no others', async () => {
        const [one, two] = (await openHandles(2)) as [Store, Store];
        if (!one.changed) return;
        for (const [writer, act] of [
          [two, 'put'],
          [one, 'put'],
          [two, 'delete'],
        ] as const) {
          let told = 0;
          const waiting = one.changed('snapshot/', never).then(() => void told++);
          const other = new AbortController();
          const elsewhere = one.changed('elsewhere/', other.signal);
          await put(writer, 'snapshots', 'a near miss');
          await writer.commit(
            [act === 'put' ? { op: act, key: 'snapshot/x', value: 'x' } : { op: act, key: 'snapshot/x' }],
            never,
          );
          await until('the change is told', () => told === 1);
          await waiting;
          other.abort(new Error('enough'));
          await expect(elsewhere).rejects.toThrow('enough');
        }
      });
    });
  });
}
