import { describe, expect, it } from 'vitest';
import { serviceSchema } from '../../../src/config/schema.ts';
import { createJudging } from '../../../src/daemon/judging.ts';
import { rulesOf } from '../../../src/daemon/leading.ts';
import { freshMemory, type RoundMemory, round } from '../../../src/daemon/round.ts';
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
async function leader(fields: object = { check: { kind: 'tcp' } }) {
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
