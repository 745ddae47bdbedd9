import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { type FaultProxy, startFaultProxy } from '../fixtures/fault-proxy.ts';
import { never } from './store-place.ts';

/** A place on a real engine that can be reached by ways of one's choice. */
export interface Reachable {
  /** A way that works. */
  readonly good: string;
  /** The name of a request: `commit`, or anything else. */
  operationOf(message: IncomingMessage, body: string): string;
  open(endpoints: readonly string[], requestTimeoutMs: number): Promise<Store>;
  /** True where history tells of a commit after others wrote over it; else that is told as unknown. */
  readonly keepsHistory: boolean;
}

const put = (of: Store, value: string, expect: string | null) =>
  of.commit([{ op: 'put', key: 'lease', value, expect }], never);
const putPair = (of: Store, value: string, expect: string | null) =>
  of.commit(
    [
      { op: 'put', key: 'lease', value, expect },
      { op: 'put', key: 'epoch', value },
    ],
    never,
  );

/** What a store makes of answers that are lost on the way, tried on the real engine behind a proxy. */
export function describeLostAnswers(makePlace: () => Promise<Reachable>): void {
  describe('behind a bad network', () => {
    let place: Reachable;
    let proxy: FaultProxy;
    let store: Store;
    let witness: Store;
    beforeEach(async () => {
      place = await makePlace();
      proxy = await startFaultProxy(place.good, place.operationOf);
      store = await place.open([proxy.endpoint], 500);
      witness = await place.open([place.good], 5000);
      await store.get('warm', never);
    });
    afterEach(async () => {
      await store.close();
      await witness.close();
      await proxy.stop();
    });

    for (const [what, commit] of [
      ['one change', put],
      ['several changes', putPair],
    ] as const) {
      it(`reports a commit of ${what} as won when its answer was lost`, async () => {
        proxy.inject('drop-response', 1, 'commit');
        const told = await commit(store, 'mine', null);
        expect(proxy.count('commit')).toBe(1);
        expect(await witness.get('lease', never)).toMatchObject({ value: 'mine', version: told.get('lease') });
      });

      it(`never calls a commit of ${what} that was done and written over a conflict`, async () => {
        proxy.inject('drop-response', 1, 'commit');
        let version: string | null = null;
        proxy.onAnswer((operation) => {
          if (operation === 'commit') proxy.onRequest(writeOver);
        });
        const writeOver = async () => {
          proxy.onRequest(undefined);
          const entry = await witness.get('lease', never);
          version = entry?.version ?? '';
          await put(witness, 'theirs', version);
        };
        const ended = commit(store, 'mine', null);
        // Of several keys only one was written over; the mark is still under the other.
        if (place.keepsHistory || commit === putPair) expect((await ended).get('lease')).toBe(version);
        else
          await expect(ended).rejects.toMatchObject({
            code: 'unavailable',
            message: expect.stringContaining('written since'),
          });
        expect((await witness.get('lease', never))?.value).toBe('theirs');
      });

      it(`reports a commit of ${what} as a conflict, at the latest when tried again, when it had lost`, async () => {
        await put(witness, 'theirs', null);
        proxy.inject('drop-response', 1, 'commit');
        const code = place.keepsHistory ? 'conflict' : 'unavailable';
        await expect(commit(store, 'mine', null)).rejects.toMatchObject({ code });
        await expect(commit(store, 'mine', null)).rejects.toMatchObject({ code: 'conflict' });
        expect((await witness.get('lease', never))?.value).toBe('theirs');
      });

      it(`reports a commit of ${what} that never arrived as unavailable, and nothing is written`, async () => {
        proxy.inject('drop-request', 1, 'commit');
        await expect(commit(store, 'mine', null)).rejects.toMatchObject({ code: 'unavailable' });
        expect(await witness.list('', never)).toEqual([]);
      });
    }

    it('says that the end of a commit is unknown when it cannot be read back either', async () => {
      proxy.inject('drop-response', 1, 'commit');
      proxy.inject('unavailable', 10);
      const message = expect.stringContaining('cannot be read what became of the write');
      await expect(put(store, 'mine', null)).rejects.toMatchObject({ code: 'unavailable', message });
    });

    it('takes a removal whose answer was lost for done', async () => {
      const version = (await put(witness, 'v', null)).get('lease') ?? '';
      proxy.inject('drop-response', 1, 'commit');
      await store.commit([{ op: 'delete', key: 'lease', expect: version }], never);
      expect(await witness.get('lease', never)).toBeUndefined();
    });

    it('names the endpoint and the time when nothing answers, and gives up at once when the caller does', async () => {
      proxy.inject('hang', 100);
      const message = expect.stringContaining(`"${proxy.endpoint}" did not answer in 500 ms`);
      for (const call of [store.get('k', never), store.list('k', never), put(store, 'k', null)]) {
        await expect(call).rejects.toMatchObject({ code: 'unavailable', message });
      }
      const caller = new AbortController();
      const reason = new Error('stopping');
      const calls = [
        store.get('k', caller.signal),
        store.list('k', caller.signal),
        store.commit([{ op: 'put', key: 'k', value: '' }], caller.signal),
        store.changed?.('k', caller.signal),
      ];
      caller.abort(reason);
      for (const call of calls) await expect(call).rejects.toBe(reason);
    });

    it('goes on to the next endpoint and stays there', async () => {
      const two = await place.open(['127.0.0.1:1', proxy.endpoint, place.good], 500);
      await put(two, 'first', null);
      proxy.inject('hang', 100);
      expect((await two.get('lease', never))?.value).toBe('first');
      const asked = proxy.count('commit') + proxy.count('read');
      for (let n = 0; n < 5; n++) await two.get('lease', never);
      expect(proxy.count('commit') + proxy.count('read')).toBe(asked);
      await two.close();
    });
  });
}
