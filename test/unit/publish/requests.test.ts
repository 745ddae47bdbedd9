import { describe, expect, it } from 'vitest';
import { createRequests, refuseRequests } from '../../../src/publish/requests.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';

const never = new AbortController().signal;

describe('requests of operators', () => {
  it('hold the last wish to forget the primaries, for one service', async () => {
    const requests = createRequests(openMemoryStore(createMemoryEngine()));
    expect(await requests.read('db', never)).toEqual({ overrides: [], unreadable: [] });
    for (const token of ['t1', 't2']) await requests.forgetPrimary('db', token, 'ann', 5, never);
    expect(await requests.read('db', never)).toEqual({
      overrides: [],
      unreadable: [],
      forgetPrimary: { token: 't2', by: 'ann', at: 5 },
    });
    expect(await requests.read('db2', never)).toEqual({ overrides: [], unreadable: [] });
  });

  it('hold the last wish for an active target, or that there is none', async () => {
    const requests = createRequests(openMemoryStore(createMemoryEngine()));
    await requests.switchover('web', 'w1', 'i-2', 'ann', 5, never);
    expect((await requests.read('web', never)).switchover).toEqual({ token: 'w1', targetId: 'i-2', by: 'ann', at: 5 });
    await requests.switchover('web', 'w2', undefined, 'bob', 6, never);
    expect((await requests.read('web', never)).switchover).toEqual({ token: 'w2', by: 'bob', at: 6 });
    expect(await requests.read('web', never)).toMatchObject({ unreadable: [] });
  });

  it('hold a maintenance by hand until it is ended', async () => {
    const requests = createRequests(openMemoryStore(createMemoryEngine()));
    await requests.maintenance('web', 60_000, 'ann', 5, never);
    expect(await requests.read('web', never)).toMatchObject({
      maintenance: { untilAt: 60_000, by: 'ann', at: 5 },
      unreadable: [],
    });
    await requests.maintenance('web', undefined, 'bob', 6, never);
    expect(await requests.read('web', never)).toEqual({ overrides: [], unreadable: [] });
  });

  it('name a wish that cannot be read, and go on without it', async () => {
    const store = openMemoryStore(createMemoryEngine());
    await store.commit([{ op: 'put', key: 'request/db/forget-primary', value: '{"token":""}' }], never);
    const asked = await createRequests(store).read('db', never);
    expect(asked).toEqual({ overrides: [], unreadable: ['request/db/forget-primary'] });
  });

  it('have no place where only HSDO’s table is configured', async () => {
    const none = refuseRequests();
    await expect(none.forgetPrimary('db', 't', 'ann', 5, never)).rejects.toMatchObject({ code: 'rejected' });
    await expect(none.switchover('db', 't', 'i-1', 'ann', 5, never)).rejects.toMatchObject({ code: 'rejected' });
    expect(await none.read('db', never)).toEqual({ overrides: [], unreadable: [] });
  });
});
