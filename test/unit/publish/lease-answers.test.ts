import { afterEach, describe, expect, it } from 'vitest';
import { HsdoError } from '../../../src/model/error.ts';
import { createLease, type LeaseView } from '../../../src/publish/lease.ts';
import { createRecordLease } from '../../../src/publish/record-lease.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import type { Store } from '../../../src/store/store.ts';
import { createFakeClock, type FakeClock } from '../../fixtures/clock.ts';
import { recordingLog } from '../../fixtures/log.ts';

const ttlMs = 10_000;
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

type Trouble = 'none' | 'lost-request' | 'lost-answer' | 'silence';

/** A store whose commits may meet trouble, and which counts what is asked of it. */
function troubled(inner: Store, isHinting: boolean) {
  const state = { trouble: 'none' as Trouble, commits: 0, reads: 0 };
  const store: Store = {
    get(...args) {
      state.reads += 1;
      return inner.get(...args);
    },
    list: (...args) => inner.list(...args),
    async commit(changes, signal) {
      state.commits += 1;
      const { trouble } = state;
      if (trouble === 'silence') await new Promise(() => {});
      if (trouble === 'lost-request') throw new HsdoError('unavailable', 'the request was lost');
      const versions = await inner.commit(changes, signal);
      if (trouble === 'lost-answer') throw new HsdoError('unavailable', 'the answer was lost');
      return versions;
    },
    ...(isHinting ? { changed: (...args: [string, AbortSignal]) => inner.changed?.(...args) ?? Promise.reject() } : {}),
    close: () => inner.close(),
  };
  return { state, store };
}

/** Two servers that take part in one election, once they are started. */
function stage(names: readonly [string, string] = ['a', 'b'], isHinting = false) {
  const clock = createFakeClock();
  const engine = createMemoryEngine();
  const nodeOf = (nodeId: string) => {
    const { state, store } = troubled(openMemoryStore(engine), isHinting);
    const log = recordingLog();
    const told: LeaseView[] = [];
    const home = createRecordLease(store);
    const lease = createLease({ home, nodeId, ttlMs, clock, log, onChange: (view) => void told.push(view) });
    const stop = new AbortController();
    stops.push(stop);
    const start = () => lease.run(stop.signal);
    return { nodeId, lease, state, log, told, stop, start, home };
  };
  return { clock, a: nodeOf(names[0]), b: nodeOf(names[1]) };
}

/** In steps of 10 ms, with turns for the answers of the store in memory. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    await clock.advance(10);
    for (let turn = 0; turn < 4; turn += 1) await clock.advance(0);
  }
}

describe('an election whose answers get lost', () => {
  it('keeps the leader and its epoch when renewals went through unheard', async () => {
    const { clock, a } = stage();
    void a.start();
    await pass(clock, 100);
    a.state.trouble = 'lost-answer';
    await pass(clock, 6000);
    a.state.trouble = 'none';
    await pass(clock, 20_000);
    expect(a.lease.term()?.epoch).toBe(1);
    expect(a.told.map(({ state }) => state)).toEqual(['leader']);
    expect(a.log.lines.filter(({ message }) => message.includes('taken over'))).toEqual([]);
  });

  it('does not wait for a lease that it took itself without hearing of it', async () => {
    const { clock, a } = stage();
    a.state.trouble = 'lost-answer';
    void a.start();
    await pass(clock, 100);
    expect(a.lease.term()).toBeUndefined();
    a.state.trouble = 'none';
    await pass(clock, 1000);
    expect(a.lease.term()?.epoch).toBe(2);
  });

  it('waits for the lease of another process of the same name', async () => {
    const { clock, a, b: twin } = stage(['a', 'a']);
    void a.start();
    await pass(clock, 100);
    void twin.start();
    await pass(clock, 30_000);
    expect(a.lease.term()?.epoch).toBe(1);
    expect(twin.lease.term()).toBeUndefined();
  });

  it('hands back a lease whose renewal was under way when it was stopped', async () => {
    const { clock, a, b } = stage(['a', 'b'], true);
    const ended = a.start();
    await pass(clock, 100);
    void b.start();
    a.state.trouble = 'lost-answer';
    await pass(clock, 5000);
    a.state.trouble = 'none';
    a.stop.abort();
    await ended;
    await pass(clock, 100);
    expect(b.lease.term()?.epoch).toBe(2);
  });

  it('tries again in time when the first renewal meets silence, and never stops leading', async () => {
    const { clock, a } = stage();
    void a.start();
    await pass(clock, 4900);
    a.state.trouble = 'silence';
    await pass(clock, 200);
    a.state.trouble = 'none';
    await pass(clock, 15_000);
    expect(a.told.map(({ state }) => state)).toEqual(['leader']);
  });
});

describe('a term', () => {
  it("ends by the holder's own clock, which is told at that moment and not after the store has answered", async () => {
    const { clock, a } = stage();
    void a.start();
    await pass(clock, 100);
    const term = a.lease.term();
    a.state.trouble = 'silence';
    await pass(clock, 8900);
    expect(term?.isHeld?.()).toBe(true);
    await pass(clock, 100);
    expect(term?.isHeld?.()).toBe(false);
    expect(a.told.map(({ state }) => state)).toEqual(['leader', 'suspended']);
    a.state.trouble = 'none';
    await pass(clock, 5000);
    expect(a.told.map(({ state, epoch }) => `${state} ${epoch}`)).toEqual(['leader 1', 'suspended 1', 'leader 1']);
  });
});

describe('a follower', () => {
  it('is woken by the hint of the store, so that a clean stop is taken over at once', async () => {
    const { clock, a, b } = stage(['a', 'b'], true);
    const ended = a.start();
    await pass(clock, 100);
    void b.start();
    await pass(clock, 330);
    a.stop.abort();
    await ended;
    await pass(clock, 20);
    expect(b.lease.term()?.epoch).toBe(2);
  });

  it('asks at the moment at which the lease expires, and takes the time for that from the record', async () => {
    const { clock, b } = stage();
    await b.home.acquire({ holder: 'gone', epoch: 7, ttlMs: 2340 }, null, b.stop.signal);
    void b.start();
    await pass(clock, 2330);
    expect(b.lease.view()).toEqual({ state: 'follower', epoch: 7, holder: 'gone' });
    await pass(clock, 40);
    expect(b.lease.term()?.epoch).toBe(8);
  });

  it('leaves the holder a moment to come back after an outage that kept everybody from renewing', async () => {
    const { clock, a, b } = stage(['a', 'b'], true);
    void a.start();
    await pass(clock, 100);
    const reads = b.home.read;
    let isAway = false;
    b.home.read = async (signal) => {
      if (isAway) throw new HsdoError('unavailable', 'the store is away');
      return reads(signal);
    };
    void b.start();
    await pass(clock, 100);
    isAway = true;
    a.state.trouble = 'lost-request';
    await pass(clock, 60_000);
    expect(a.lease.view().state).toBe('suspended');
    isAway = false;
    a.state.trouble = 'none';
    await pass(clock, 3000);
    expect(a.lease.term()?.epoch).toBe(1);
    expect(b.lease.view()).toMatchObject({ state: 'follower', holder: 'a', epoch: 1 });
  });
});
