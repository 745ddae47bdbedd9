import { describe, expect, it } from 'vitest';
import type { Happened } from '../../../src/deliver/notify/announce.ts';
import { createEvents, type KnownHead, keptBatches, mostBatches } from '../../../src/publish/events.ts';
import { clusterScope, headKey, type Scope, scopeOf, toldKey } from '../../../src/publish/events-format.ts';
import { createKeep, createTold } from '../../../src/publish/events-told.ts';
import { createRecordLease } from '../../../src/publish/record-lease.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import { startAt } from '../../fixtures/lists.ts';
import { never } from '../../fixtures/notices.ts';

const open = async () => {
  const engine = createMemoryEngine();
  const store = openMemoryStore(engine);
  const lease = createRecordLease(store);
  const lead = async (epoch: number) => {
    const before = await lease.read(never);
    return (await lease.acquire({ holder: 'a', epoch, ttlMs: 1 }, before?.version ?? null, never)).term;
  };
  const events = createEvents(store);
  let known: Map<Scope, KnownHead> = new Map();
  /** Announces events of these kinds; `toldSeq` is how far all notifiers are. */
  const announce = async (
    scope: Scope,
    term: Awaited<ReturnType<typeof lead>>,
    happened: readonly Happened[],
    { at = startAt, toldSeq = Number.POSITIVE_INFINITY, notifiers = [] as readonly string[] } = {},
  ) => {
    const state =
      scope === clusterScope ? { cluster: { epoch: 1, holder: 'a', nodes: [] } } : { service: { downs: [] } };
    const news = { scope, known: known.get(scope), events: happened, state, notifiers, toldSeq, at };
    known = new Map([...known, [scope, await events.announce(news, term, never)]]);
  };
  return { engine, store, lead, events, announce, forget: () => known.clear() };
};

const up: Happened = { kind: 'service-up', service: 'web' };
const down: Happened = { kind: 'service-down', service: 'web', reason: 'no target is up' };
const batchesOf = (keys: Iterable<string>) => [...keys].filter((key) => key.startsWith('event/')).length;

describe('events in a store', () => {
  it('have names that stay, and are shown the newest first, of one service or of all', async () => {
    const { events, lead, announce } = await open();
    const term = await lead(1);
    await announce(scopeOf('web'), term, [up], { at: startAt });
    await announce(clusterScope, term, [{ kind: 'new-leader', node: 'a' }], { at: startAt + 1 });
    await announce(scopeOf('web'), term, [down, up], { at: startAt + 2 });
    await announce(scopeOf('cluster'), term, [up], { at: startAt + 3 });
    const ids = async (wanted: { service?: string; limit: number }) =>
      (await events.list(wanted, never)).map(({ id }) => id);
    expect(await ids({ limit: 10 })).toEqual(['service:cluster-1-1', 'web-2-2', 'web-2-1', 'cluster-1-1', 'web-1-1']);
    expect(await ids({ service: 'web', limit: 2 })).toEqual(['web-2-2', 'web-2-1']);
    expect(await ids({ service: 'db', limit: 2 })).toEqual([]);
    expect((await events.list({ service: 'web', limit: 1 }, never))[0]).toEqual({
      id: 'web-2-2',
      at: startAt + 2,
      ...up,
    });
  });

  it('are refused from a leader whose term is over, and from one that read before another wrote', async () => {
    const { lead, announce, events, forget } = await open();
    const [old, current] = [await lead(1), await lead(2)];
    await expect(announce(scopeOf('web'), old, [up])).rejects.toMatchObject({ code: 'conflict' });
    await announce(scopeOf('web'), current, [up]);
    forget();
    await expect(announce(scopeOf('web'), current, [up])).rejects.toMatchObject({ code: 'conflict' });
    expect(await events.list({ limit: 10 }, never)).toHaveLength(1);
  });

  it('are kept in a bounded number, those that somebody was not told of for longer, but not for ever', async () => {
    const { engine, lead, announce, events } = await open();
    const term = await lead(1);
    const many = async (count: number, options: Parameters<typeof announce>[3]) => {
      for (let n = 0; n < count; n += 1) await announce(scopeOf('web'), term, [up], options);
    };
    await many(keptBatches + 100, { toldSeq: 50 });
    expect(batchesOf(engine.entries.keys())).toBe(keptBatches + 50);
    expect(await events.batch(scopeOf('web'), 50, never)).toBeUndefined();
    expect(await events.batch(scopeOf('web'), 51, never)).toMatchObject({ seq: 51 });
    await many(10, { toldSeq: 90 });
    expect(batchesOf(engine.entries.keys())).toBe(keptBatches + 20);
    const week = 7 * 86_400_000;
    await many(30, { toldSeq: 90, at: startAt + week });
    expect(await events.batch(scopeOf('web'), 100, never)).toBeDefined();
    await many(60, { toldSeq: 90, at: startAt + week + 1 });
    expect(batchesOf(engine.entries.keys())).toBe(700 - 150);
    await many(mostBatches - 600, { toldSeq: 90, at: startAt + week + 1 });
    expect(batchesOf(engine.entries.keys())).toBeLessThanOrEqual(mostBatches);
  });

  it('that cannot be read leave all others readable', async () => {
    const { store, lead, announce, events } = await open();
    const term = await lead(1);
    await announce(scopeOf('web'), term, [up]);
    await store.commit([{ op: 'put', key: headKey(scopeOf('db')), value: '{"format":2}' }], never);
    const faults: string[] = [];
    const heads = await events.heads(never, (scope) => faults.push(scope));
    expect([[...heads.keys()], faults]).toEqual([['service/web'], ['service/db']]);
    expect(await events.list({ limit: 5 }, never)).toHaveLength(1);
  });
});

describe('how far a notifier is', () => {
  it('begins with the first event where it was there from the beginning, and is the leader’s to write', async () => {
    const { store, lead, announce } = await open();
    const term = await lead(1);
    await announce(scopeOf('web'), term, [up], { notifiers: ['mail'] });
    const told = createTold(store, 'mail');
    expect([...(await told.load(never)).cursors]).toEqual([['service/web', { seq: 0 }]]);
    const cursor = { seq: 1, sending: { from: 2, to: 3 }, reminders: { outageAt: 1, count: 2, at: 3 } };
    await told.save(new Map([[scopeOf('web'), cursor]]), [startAt], term, never);
    expect(await told.load(never)).toEqual({ cursors: new Map([['service/web', cursor]]), sentAt: [startAt] });
    expect(await createTold(store, 'mail-2').load(never)).toEqual({ cursors: new Map(), sentAt: [] });
    await lead(2);
    const late = told.save(new Map([[scopeOf('web'), { seq: 9 }]]), undefined, term, never);
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    expect((await store.get(toldKey('mail', scopeOf('web')), never))?.value).toContain('"seq":1');
  });

  it('has a place for what else it keeps, into which only the leader writes', async () => {
    const { store, lead } = await open();
    let term: Awaited<ReturnType<typeof lead>> | undefined = await lead(1);
    const keep = createKeep(store, 'telegram/ops/', () => term);
    await keep.put('-100/x', 'one', never);
    expect(await keep.list(never)).toEqual([{ name: '-100/x', value: 'one' }]);
    await lead(2);
    await expect(keep.delete('-100/x', never)).rejects.toMatchObject({ code: 'conflict' });
    term = undefined;
    await expect(keep.put('2', 'two', never)).rejects.toMatchObject({ code: 'conflict' });
    expect(await keep.list(never)).toHaveLength(1);
  });
});
