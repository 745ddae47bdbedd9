import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { maxCommitChanges } from '../../src/store/store.ts';
import { never, type Opener, put } from './store-place.ts';

/** What a commit changes: all that it names on what it expects, or nothing. */
export function describeCommitting({ openOne, openHandles }: Opener): void {
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
      for (const changes of bad) await expect(store.commit(changes, never)).rejects.toMatchObject({ code: 'rejected' });
      await expect(store.get('ü', never)).rejects.toMatchObject({ code: 'rejected' });
      expect(await store.list('', never)).toEqual([]);
    });
  });
}
