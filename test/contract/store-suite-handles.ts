import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { until } from '../fixtures/until.ts';
import { never, type Opener, put } from './store-place.ts';

/** How a handle ends, and what it hears of the others. */
export function describeHandles({ openOne, openHandles }: Opener): void {
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
}
