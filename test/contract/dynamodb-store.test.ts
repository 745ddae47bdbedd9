import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDynamoStore } from '../../src/store/dynamodb.ts';
import type { Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { dynamoConfig, hsdoKeys, makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { type FaultProxy, startFaultProxy } from '../fixtures/fault-proxy.ts';
import { type Moto, motoPrograms, startMoto } from '../fixtures/moto.ts';
import { describeStore } from './store-suite.ts';

const never = new AbortController().signal;

describeWith(motoPrograms, 'DynamoDB', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto.stop());

  describeStore('dynamodb', async () => {
    const table = await makeTable(moto, plainKeys);
    return {
      open: () => openDynamoStore(dynamoConfig(moto, { table, requestTimeoutMs: 10_000 }), systemClock),
      remove: async () => {},
    };
  });

  describe('a plain store behind a bad network', () => {
    let proxy: FaultProxy;
    let store: Store;
    let witness: Store;
    let table: string;
    beforeEach(async () => {
      proxy = await startFaultProxy(moto.endpoint);
      table = await makeTable(moto, plainKeys);
      store = await openDynamoStore(dynamoConfig(moto, { table, requestTimeoutMs: 300 }, proxy.endpoint), systemClock);
      witness = await openDynamoStore(dynamoConfig(moto, { table }), systemClock);
    });
    afterEach(async () => {
      await store.close();
      await witness.close();
      await proxy.stop();
    });
    const put = (of: Store, key: string, value: string, expect: string | null) =>
      of.commit([{ op: 'put', key, value, expect }], never);
    const putPair = (of: Store, value: string, expect: string | null) =>
      of.commit(
        [
          { op: 'put', key: 'lease', value, expect },
          { op: 'put', key: 'epoch', value },
        ],
        never,
      );

    for (const [what, commit, operation] of [
      ['one change', (of: Store, value: string, expect: string | null) => put(of, 'lease', value, expect), 'PutItem'],
      ['several changes', putPair, 'TransactWriteItems'],
    ] as const) {
      it(`reports a commit of ${what} as won when only its answer was lost`, async () => {
        proxy.inject('drop-response', 1, operation);
        const told = await commit(store, 'mine', null);
        expect(proxy.count(operation)).toBe(2);
        expect(await witness.get('lease', never)).toMatchObject({ value: 'mine', version: told.get('lease') });
      });

      it(`reports a commit of ${what} as won when every answer was lost`, async () => {
        proxy.inject('drop-response', 3, operation);
        const told = await commit(store, 'mine', null);
        expect((await witness.get('lease', never))?.version).toBe(told.get('lease'));
      });

      it(`reports a commit of ${what} as a conflict when its answer was lost and it had lost`, async () => {
        await put(witness, 'lease', 'theirs', null);
        for (const times of [1, 3]) {
          proxy.inject('drop-response', times, operation);
          await expect(commit(store, 'mine', null)).rejects.toMatchObject({ code: 'conflict' });
        }
        expect((await witness.get('lease', never))?.value).toBe('theirs');
      });

      it(`reports a commit of ${what} that never arrived as unavailable, and nothing is written`, async () => {
        proxy.inject('drop-request', 3, operation);
        await expect(commit(store, 'mine', null)).rejects.toMatchObject({ code: 'unavailable' });
        expect(await witness.list('', never)).toEqual([]);
      });

      it(`tries a commit of ${what} again when a request was lost, throttled or refused for the moment`, async () => {
        for (const fault of ['drop-request', 'throttle', 'unavailable', 'hang'] as const) {
          proxy.inject(fault, 1, operation);
          const version = (await witness.get('lease', never))?.version ?? null;
          await commit(store, fault, version);
          expect((await witness.get('lease', never))?.value).toBe(fault);
        }
      });
    }

    it('says that the end of a commit is unknown when it cannot be read back either', async () => {
      proxy.inject('drop-response', 3, 'PutItem');
      proxy.inject('unavailable', 3, 'GetItem');
      await expect(put(store, 'lease', 'mine', null)).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('cannot be read what became of the write'),
      });
    });

    it('takes a removal whose answer was lost for done', async () => {
      const version = (await put(witness, 'k', 'v', null)).get('k') ?? '';
      proxy.inject('drop-response', 1, 'DeleteItem');
      await store.commit([{ op: 'delete', key: 'k', expect: version }], never);
      expect(await witness.get('k', never)).toBeUndefined();
    });

    it('gives up within its deadline when nothing answers, and at once when the caller does', async () => {
      proxy.inject('hang', 100);
      const startedAt = performance.now();
      await expect(store.get('k', never)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(store.list('k', never)).rejects.toMatchObject({ code: 'unavailable' });
      expect(performance.now() - startedAt).toBeLessThan(15_000);
      const caller = new AbortController();
      const reason = new Error('stopping');
      const calls = [
        store.get('k', caller.signal),
        store.list('k', caller.signal),
        store.commit([{ op: 'put', key: 'k', value: '' }], caller.signal),
      ];
      caller.abort(reason);
      for (const call of calls) await expect(call).rejects.toBe(reason);
    });

    it('is away while throttled for good, and back afterwards by itself', async () => {
      proxy.inject('throttle', 3);
      // The SDK rests between its tries; on a slow machine our own deadline may come first.
      await expect(store.get('k', never)).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/ProvisionedThroughputExceeded|did not answer/),
      });
      expect(await store.get('k', never)).toBeUndefined();
    });

    it('names a missing table, and one with other keys, with what is wanted', async () => {
      const wanted = 'with the key Scope (S), Key (S)';
      for (const name of ['no-such-table', await makeTable(moto, hsdoKeys)]) {
        const wrong = await openDynamoStore(dynamoConfig(moto, { table: name }), systemClock);
        for (const call of [wrong.get('k', never), wrong.list('k', never), put(wrong, 'k', '', null)]) {
          await expect(call).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining(wanted) });
        }
        await wrong.close();
      }
    });

    it('keeps the scopes of one table apart', async () => {
      const other = await openDynamoStore(dynamoConfig(moto, { table, scope: 'staging' }), systemClock);
      await put(store, 'k', 'ours', null);
      await put(other, 'k', 'theirs', null);
      expect((await store.list('', never)).map((entry) => entry.value)).toEqual(['ours']);
      await other.close();
    });
  });
});
