import { describe, expect, it } from 'vitest';
import type { ServiceConfig } from '../../../src/config/schema.ts';
import { createServedViews } from '../../../src/daemon/served-views.ts';
import { HsdoError } from '../../../src/model/error.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const list = (revision: number): Snapshot => ({
  service: 'web',
  revision,
  epoch: 1,
  publishedAt: 0,
  slots: [],
  unplaced: [],
});

/** A server that never led, or led with `former`, and a store that can be taken away. */
function createStage(former?: Snapshot) {
  const store: { list: Snapshot | undefined; fault: Error | undefined } = { list: undefined, fault: undefined };
  const service = { name: 'web' } as ServiceConfig;
  const override = { targetId: 'i-1', state: 'drain', by: 'ann', at: 1 } as const;
  const answer = <T>(value: T) => (store.fault === undefined ? Promise.resolve(value) : Promise.reject(store.fault));
  const signal = new AbortController().signal;
  const views = createServedViews({
    served: [
      {
        name: 'web',
        service,
        sources: { views: () => [], duplicates: () => [] } as never,
        leading: { last: () => undefined, former: () => former } as never,
        switching: undefined,
      },
    ],
    homes: { snapshots: { read: () => answer(store.list) } } as never,
    requests: { read: () => answer({ overrides: [override], unreadable: [] }) },
    hasQuorum: () => true,
    looking: (call) => call(signal),
    clock: createFakeClock(),
  });
  const shown = async () => (await views.all()).map(({ state, revision, overrides }) => [state, revision, overrides]);
  return { store, views, shown, override };
}

const away = new HsdoError('unavailable', 'The store did not answer in 2000 ms');

describe('the services of a server, while the store is away', () => {
  it('stand as they were read last, with what operators want of them', async () => {
    const { store, shown, override } = createStage();
    store.list = list(7);
    expect(await shown()).toEqual([['ok', 7, [override]]]);
    store.fault = away;
    expect(await shown()).toEqual([['ok', 7, [override]]]);
  });

  it('are not known where they were never read, which is not that nothing was published', async () => {
    const { store, shown } = createStage();
    store.fault = away;
    expect(await shown()).toEqual([['unknown', 0, []]]);
    store.fault = undefined;
    expect(await shown()).toMatchObject([['unpublished', 0, expect.anything()]]);
  });

  it('are as this server led with them last, where it has read nothing later', async () => {
    const { store, shown } = createStage(list(9));
    store.list = list(4);
    expect(await shown()).toMatchObject([['ok', 4, expect.anything()]]);
    store.fault = away;
    expect(await shown()).toMatchObject([['ok', 9, expect.anything()]]);
  });

  it('are refused one by one, and what is a bug is never taken for an outage', async () => {
    const { store, views } = createStage();
    store.fault = away;
    await expect(views.newest({ name: 'web', leading: { last: () => undefined } } as never)).rejects.toBe(away);
    store.fault = new TypeError('a bug');
    await expect(views.all()).rejects.toBe(store.fault);
  });
});
