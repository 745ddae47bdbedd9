import { describe, expect, it } from 'vitest';
import { never, type Opener, put } from './store-place.ts';

/** What a reader finds: nothing but what was written, as it was written. */
export function describeReading({ openOne }: Opener): void {
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
}
