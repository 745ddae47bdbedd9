import { afterEach, describe, expect, it } from 'vitest';
import { HsdoError } from '../../../src/model/error.ts';
import { createLease, type Lease } from '../../../src/publish/lease.ts';
import { createRecordLease } from '../../../src/publish/record-lease.ts';
import type { LeaseHome } from '../../../src/publish/term.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import { createFakeClock, type FakeClock } from '../../fixtures/clock.ts';
import { silentLog } from '../../fixtures/log.ts';

const ttlMs = 10_000;
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

/** A home that can be cut off from the store, as a network would. */
function switchable(home: LeaseHome) {
  const state = { isAway: false };
  const guard =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (state.isAway) throw new HsdoError('unavailable', 'the store is away');
      return call(...args);
    };
  return {
    state,
    home: { read: guard(home.read), acquire: guard(home.acquire), renew: guard(home.renew) } satisfies LeaseHome,
  };
}

function cluster(clock: FakeClock, ...names: readonly string[]) {
  const store = openMemoryStore(createMemoryEngine());
  return names.map((nodeId) => {
    const { state, home } = switchable(createRecordLease(store));
    const lease = createLease({ home, nodeId, ttlMs, clock, log: silentLog });
    const stop = new AbortController();
    stops.push(stop);
    return { nodeId, lease, state, stop, ended: lease.run(stop.signal) };
  });
}

const leaders = (nodes: readonly { nodeId: string; lease: Lease }[]) =>
  nodes.filter(({ lease }) => lease.term()).map(({ nodeId }) => nodeId);
/** Lets answers of the in-memory store, which come a turn later, arrive. */
const settle = async (clock: FakeClock) => {
  for (let turn = 0; turn < 20; turn += 1) await clock.advance(1);
};

describe('the lease', () => {
  it('goes to exactly one of several, with epoch 1, and stays there', async () => {
    const clock = createFakeClock();
    const nodes = cluster(clock, 'a', 'b', 'c');
    await settle(clock);
    const [first] = leaders(nodes);
    for (let minute = 0; minute < 5; minute += 1) {
      for (let second = 0; second < 60; second += 1) await clock.advance(1000);
      expect(leaders(nodes)).toEqual([first]);
    }
    expect(nodes.find(({ nodeId }) => nodeId === first)?.lease.term()?.epoch).toBe(1);
  });

  it('is handed over at once on a clean stop, with a higher epoch', async () => {
    const clock = createFakeClock();
    const [a, b] = cluster(clock, 'a', 'b');
    await settle(clock);
    const [leader, other] = a?.lease.term() ? [a, b] : [b, a];
    leader?.stop.abort();
    await leader?.ended;
    await clock.advance(1100);
    await settle(clock);
    expect(other?.lease.term()?.epoch).toBe(2);
  });

  it('passes to another when its holder falls silent, and the holder stopped believing in it before that', async () => {
    const clock = createFakeClock();
    const nodes = cluster(clock, 'a', 'b');
    await settle(clock);
    const silent = nodes.find(({ lease }) => lease.term());
    const other = nodes.find((node) => node !== silent);
    if (silent) silent.state.isAway = true;
    const both: string[][] = [];
    for (let tick = 0; tick < 140; tick += 1) {
      await clock.advance(100);
      both.push(leaders(nodes));
    }
    expect(both.every((names) => names.length <= 1)).toBe(true);
    expect(leaders(nodes)).toEqual([other?.nodeId]);
    expect(silent?.lease.view().state).toBe('suspended');
    if (silent) silent.state.isAway = false;
    await clock.advance(2000);
    expect(silent?.lease.view()).toMatchObject({ state: 'follower', holder: other?.nodeId, epoch: 2 });
  });

  it('is kept over an outage of the store that is shorter than the lease', async () => {
    const clock = createFakeClock();
    const [a] = cluster(clock, 'a');
    await settle(clock);
    if (a) a.state.isAway = true;
    await clock.advance(3000);
    if (a) a.state.isAway = false;
    for (let second = 0; second < 12; second += 1) await clock.advance(1000);
    expect(a?.lease.term()?.epoch).toBe(1);
  });

  it('does not care about jumps of the wall clock', async () => {
    const clock = createFakeClock();
    const nodes = cluster(clock, 'a', 'b');
    await settle(clock);
    const before = leaders(nodes);
    for (const jump of [3_600_000, -7_200_000, 86_400_000]) {
      clock.jumpWall(jump);
      for (let second = 0; second < 15; second += 1) await clock.advance(1000);
      expect(leaders(nodes)).toEqual(before);
    }
  });

  it('keeps the fence unmoved by renewals, so that a round in flight is not refused because of one', async () => {
    const clock = createFakeClock();
    const [a] = cluster(clock, 'a');
    await settle(clock);
    const fence = a?.lease.term()?.fence;
    for (let second = 0; second < 60; second += 1) await clock.advance(1000);
    expect(fence).toBeDefined();
    expect(a?.lease.term()?.fence).toBe(fence);
  });
});
