import { describe, expect, it } from 'vitest';
import { serviceSchema } from '../../../src/config/schema.ts';
import { createJudging } from '../../../src/daemon/judging.ts';
import { rulesOf } from '../../../src/daemon/leading.ts';
import { freshMemory, type ObservedActive, type RoundMemory, round } from '../../../src/daemon/round.ts';
import type { Observer, Vote } from '../../../src/model/ballot.ts';
import { createRecordLease } from '../../../src/publish/record-lease.ts';
import { createRecordSnapshots } from '../../../src/publish/record-snapshots.ts';
import { createRequests } from '../../../src/publish/requests.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { targets } from '../../fixtures/lists.ts';
import { ballot, vote } from '../../fixtures/votes.ts';

const never = new AbortController().signal;
const firstWaitMs = 10_000;

/** The rounds of a leader of service `web` on a store in memory; every one says who serves, or that there is no list. */
async function leader(fields: object = { check: { kind: 'tcp' } }, observedActive?: () => ObservedActive) {
  const store = openMemoryStore(createMemoryEngine());
  const clock = createFakeClock();
  const source = { kind: 'static', targets: [] };
  const service = serviceSchema.parse({ name: 'web', source, size: 5, ...fields });
  const { term } = await createRecordLease(store).acquire({ holder: 's1', epoch: 1, ttlMs: 3000 }, null, never);
  let observers: readonly Observer[] | undefined;
  let complete = true;
  let memory: RoundMemory = freshMemory;
  const requests = createRequests(store);
  const parts = {
    service: 'web',
    rules: rulesOf(service),
    known: () => ({ targets: targets('a', 'b'), complete, reads: 1 }),
    observers: () => observers,
    judging: createJudging(service),
    firstWaitMs,
    observedActive,
    snapshots: createRecordSnapshots(store),
    requests,
    clock,
  };
  return {
    clock,
    requests,
    setComplete(next: boolean) {
      complete = next;
    },
    vote(votes: Readonly<Record<string, Vote['health'] | Vote>>) {
      observers = [{ id: 's1', isFresh: true, services: ['web'], ballot: ballot('s1', { web: votes }) }];
    },
    forgetMemory() {
      memory = freshMemory;
    },
    async round(): Promise<string> {
      const result = await round(parts, memory, term, never);
      memory = result.memory;
      const serving = result.snapshot?.slots.filter((slot) => slot.state === 'taken' && slot.out === undefined);
      return serving?.map((slot) => (slot.state === 'taken' ? slot.target.id : '')).join() ?? 'no list';
    },
    snapshot: () => memory.published,
  };
}

describe('the first list of a service with a check', () => {
  it('waits for the first votes, and is there with the last of them', async () => {
    const { round: next, vote: cast, clock } = await leader();
    expect(await next()).toBe('no list');
    cast({ a: 'up' });
    await clock.advance(2000);
    expect(await next()).toBe('no list');
    cast({ a: 'up', b: 'down' });
    expect(await next()).toBe('a');
  });

  it('waits no longer than the bound, and serves those that are up by then', async () => {
    const { round: next, vote: cast, clock } = await leader();
    await next();
    cast({ a: 'up' });
    await clock.advance(firstWaitMs - 1);
    expect(await next()).toBe('no list');
    await clock.advance(1);
    expect(await next()).toBe('a');
    cast({ a: 'up', b: 'up' });
    expect(await next()).toBe('a,b');
  });

  it('serves all of them where nobody votes at all, for it must not stay dark', async () => {
    const { round: next, clock } = await leader();
    await next();
    await clock.advance(firstWaitMs);
    expect(await next()).toBe('a,b');
  });

  it('begins to wait when the sources are known, not before', async () => {
    const { round: next, clock, setComplete } = await leader();
    setComplete(false);
    expect(await next()).toBe('no list');
    await clock.advance(2 * firstWaitMs);
    expect(await next()).toBe('no list');
    setComplete(true);
    expect(await next()).toBe('no list');
    await clock.advance(firstWaitMs);
    expect(await next()).toBe('a,b');
  });

  it('waits for nothing where nothing is checked', async () => {
    const { round: next } = await leader({});
    expect(await next()).toBe('a,b');
  });
});

describe('the active target of a service that switches something outside', () => {
  const activePassive = { check: { kind: 'tcp' }, select: { kind: 'active-passive', failbackSeconds: 60 } };

  it('is at first the one that the outside points at, and goes to the highest rank only after its time', async () => {
    let outside: ObservedActive = { isKnown: false };
    const { round: next, vote: cast, clock } = await leader(activePassive, () => outside);
    cast({ a: 'up', b: 'up' });
    expect(await next()).toBe('no list');
    outside = { isKnown: true, entry: 'b' };
    expect(await next()).toBe('b');
    await clock.advance(59_000);
    expect(await next()).toBe('b');
    await clock.advance(1000);
    expect(await next()).toBe('a');
  });

  it('is the one of the highest rank where the outside points at nobody known, or cannot be asked for long', async () => {
    const nobody = await leader(activePassive, () => ({ isKnown: true, entry: '192.0.2.77' }));
    nobody.vote({ a: 'up', b: 'up' });
    expect(await nobody.round()).toBe('a');
    const silent = await leader(activePassive, () => ({ isKnown: false }));
    silent.vote({ a: 'up', b: 'up' });
    expect(await silent.round()).toBe('no list');
    await silent.clock.advance(firstWaitMs);
    expect(await silent.round()).toBe('a');
  });

  it('stays what was published, whatever the outside says later', async () => {
    let outside: ObservedActive = { isKnown: true, entry: 'a' };
    const { round: next, vote: cast } = await leader(activePassive, () => outside);
    cast({ a: 'up', b: 'up' });
    expect(await next()).toBe('a');
    outside = { isKnown: true, entry: 'b' };
    expect(await next()).toBe('a');
  });

  it('is the one that an operator asked for, from the next round on and under the next leader, until that is purged', async () => {
    const { round: next, vote: cast, clock, requests, forgetMemory, snapshot } = await leader(activePassive);
    cast({ a: 'up', b: 'up' });
    expect(await next()).toBe('a');
    await requests.switchover('web', 'w1', 'b', 'ann', clock.now(), never);
    expect(await next()).toBe('b');
    forgetMemory();
    await clock.advance(100_000);
    expect(await next()).toBe('b');
    const { revision } = snapshot() ?? {};
    expect(await next()).toBe('b');
    expect(snapshot()?.revision).toBe(revision);
    await requests.switchover('web', 'w2', undefined, 'ann', clock.now(), never);
    expect(await next()).toBe('a');
  });
});

describe('a request to forget the primaries', () => {
  const check = { kind: 'postgres', user: 'checker', role: 'primary' };
  const primary = (timeline: number) => vote('up', { role: 'primary', timeline });
  const replica = vote('down', { code: 'not-primary', role: 'replica' });

  it('counts once, whoever leads after that', async () => {
    const { round: next, vote: cast, requests, forgetMemory, snapshot } = await leader({ check });
    cast({ a: primary(7), b: replica });
    expect(await next()).toBe('a');
    cast({ a: primary(1), b: replica });
    expect(await next()).toBe('');
    await requests.forgetPrimary('web', 't1', 'ann', 1, never);
    expect(await next()).toBe('a');
    cast({ a: replica, b: primary(2) });
    expect(await next()).toBe('b');
    forgetMemory();
    cast({ a: primary(1), b: replica });
    expect(await next()).toBe('');
    expect(snapshot()?.primary).toEqual({ highestTimeline: 2, lastId: 'b', forgotten: 't1' });
  });
});
