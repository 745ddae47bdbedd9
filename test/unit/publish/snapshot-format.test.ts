import { describe, expect, it } from 'vitest';
import { isSameSlot } from '../../../src/model/slot.ts';
import { createRecordLease } from '../../../src/publish/record-lease.ts';
import { createRecordSnapshots } from '../../../src/publish/record-snapshots.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import type { Change, Store } from '../../../src/store/store.ts';
import { startAt, taken, target } from '../../fixtures/lists.ts';

const never = new AbortController().signal;

/** A store that notes every commit. */
function openNoting(): { store: Store; commits: (readonly Change[])[] } {
  const inner = openMemoryStore(createMemoryEngine());
  const commits: (readonly Change[])[] = [];
  const store: Store = {
    ...inner,
    commit(changes, signal) {
      commits.push(changes);
      return inner.commit(changes, signal);
    },
  };
  return { store, commits };
}

async function publishTen() {
  const noting = openNoting();
  const snapshots = createRecordSnapshots(noting.store);
  const { term } = await createRecordLease(noting.store).acquire({ holder: 'one', epoch: 1, ttlMs: 1000 }, null, never);
  const slots = Array.from({ length: 1000 }, (_, n) => taken(n + 1, target(`t${n}`)));
  const first = await snapshots.write(undefined, { service: 'web', slots, unplaced: [] }, term, startAt, never);
  return { ...noting, snapshots, term, first };
}

describe('a snapshot on the plain store', () => {
  it('writes only the chunks that changed, in one commit with the fence and the head', async () => {
    const { commits, snapshots, term, first } = await publishTen();
    const read = await snapshots.read('web', never);
    if (!read) throw new Error('nothing was read');
    const slots = read.slots.map((slot) => (slot.index === 250 ? taken(250, target('new')) : slot));
    await snapshots.write(read, { service: 'web', slots, unplaced: [] }, term, startAt, never);
    expect(first.revision).toBe(1);
    expect(commits.at(-1)?.map(({ op, key }) => `${op} ${key}`)).toEqual([
      'check epoch',
      'put snapshot/web/head',
      'put snapshot/web/slots/0002',
    ]);
    expect(commits).toHaveLength(3);
  });

  it('tells equal slots by their content, not by the order of their fields', () => {
    const { target: of, weight, ...rest } = taken(1, target('a'));
    expect(isSameSlot({ weight, target: of, ...rest }, taken(1, target('a')))).toBe(true);
    expect(isSameSlot(taken(1, target('a')), taken(1, target('a', { port: 1 })))).toBe(false);
  });

  it('is refused in clear words when a newer hsdo wrote it, or something else', async () => {
    const { store, snapshots } = await publishTen();
    const put = (key: string, value: string) => store.commit([{ op: 'put', key, value }], never);
    for (const [value, words] of [
      ['{"format":2,"anything":true}', 'a newer hsdo wrote it (format 2, this one knows 1)'],
      ['{"format":1,"revision":0}', 'revision'],
      ['[]', 'Cannot read "snapshot/web/head"'],
      ['not json', 'it is not JSON'],
    ] as const) {
      await put('snapshot/web/head', value);
      for (const call of [snapshots.revision('web', never), snapshots.read('web', never)]) {
        await expect(call).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining(words) });
      }
    }
  });

  it('is never served with a part that does not belong to it', async () => {
    const { store, snapshots } = await publishTen();
    const chunk = await store.get('snapshot/web/slots/0001', never);
    await store.commit(
      [
        {
          op: 'put',
          key: 'snapshot/web/slots/0001',
          value: (chunk?.value ?? '').replace('"revision":1', '"revision":9'),
        },
      ],
      never,
    );
    await expect(snapshots.read('web', never)).rejects.toMatchObject({ code: 'unavailable' });
    await store.commit([{ op: 'delete', key: 'snapshot/web/slots/0001' }], never);
    await expect(snapshots.read('web', never)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('refuses more slots than one commit can hold', async () => {
    const { snapshots, term, first } = await publishTen();
    const slots = Array.from({ length: 6201 }, (_, n) => ({ state: 'free', index: n + 1 }) as const);
    const write = snapshots.write(first, { service: 'web', slots, unplaced: [] }, term, startAt, never);
    await expect(write).rejects.toMatchObject({ code: 'rejected' });
  });

  it('keeps the names of services apart, whatever they are', async () => {
    const { snapshots, term } = await publishTen();
    const names = ['a/b', 'a', 'a/head', 'grün', '%'];
    for (const service of names) {
      await snapshots.write(
        undefined,
        { service, slots: [taken(1, target(`of ${service}`))], unplaced: [] },
        term,
        startAt,
        never,
      );
    }
    for (const service of names) {
      expect((await snapshots.read(service, never))?.slots[0]).toMatchObject({ target: { id: `of ${service}` } });
    }
  });
});

describe('a lease on the plain store', () => {
  it('goes on in the next epoch when somebody removed its record', async () => {
    const { store } = openNoting();
    const lease = createRecordLease(store);
    await lease.acquire({ holder: 'one', epoch: 4, ttlMs: 1000 }, null, never);
    await store.commit([{ op: 'delete', key: 'lease' }], never);
    const found = await lease.read(never);
    expect(found?.record).toEqual({ holder: '', epoch: 4, ttlMs: 0 });
    const taken_ = lease.acquire({ holder: 'two', epoch: 1, ttlMs: 1000 }, found?.version ?? null, never);
    await expect(taken_).rejects.toMatchObject({ code: 'conflict' });
    const { term } = await lease.acquire({ holder: 'two', epoch: 5, ttlMs: 1000 }, found?.version ?? null, never);
    expect(term.epoch).toBe(5);
  });
});
