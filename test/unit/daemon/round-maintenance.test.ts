import { describe, expect, it } from 'vitest';
import { serviceSchema } from '../../../src/config/schema.ts';
import { createJudging } from '../../../src/daemon/judging.ts';
import { rulesOf } from '../../../src/daemon/leading.ts';
import { freshMemory, type RoundMemory, round } from '../../../src/daemon/round.ts';
import { createRecordLease } from '../../../src/publish/record-lease.ts';
import { createRecordSnapshots } from '../../../src/publish/record-snapshots.ts';
import { createRequests } from '../../../src/publish/requests.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { targets } from '../../fixtures/lists.ts';

const never = new AbortController().signal;
const hourMs = 3_600_000;

/** As a configuration says it: an hour from now, for an hour. */
function inAnHour(now: number, fields: object = {}) {
  const text = (at: number) => new Date(at).toISOString().slice(0, 16);
  const minute = Math.ceil(now / 60_000) * 60_000;
  return { from: text(minute + hourMs), to: text(minute + 2 * hourMs), ...fields };
}

async function leader(windows: (now: number) => readonly object[]) {
  const store = openMemoryStore(createMemoryEngine());
  const clock = createFakeClock();
  const source = { kind: 'static', targets: [] };
  const service = serviceSchema.parse({ name: 'web', source, size: 3, maintenance: windows(clock.now()) });
  const { term } = await createRecordLease(store).acquire({ holder: 's1', epoch: 1, ttlMs: 3000 }, null, never);
  const requests = createRequests(store);
  const parts = {
    service: 'web',
    rules: rulesOf(service),
    known: () => ({ targets: targets('a', 'b'), complete: true, reads: 1 }),
    observers: () => [],
    judging: createJudging(service),
    windows: service.maintenance,
    firstWaitMs: 0,
    snapshots: createRecordSnapshots(store),
    requests,
    clock,
  };
  let memory: RoundMemory = freshMemory;
  return {
    clock,
    requests,
    async roundAfter(ms: number) {
      await clock.advance(ms);
      const { snapshot, memory: next } = await round(parts, memory, term, never);
      memory = next;
      const overrides = snapshot?.slots.flatMap((slot) =>
        slot.state === 'taken' ? `${slot.target.id}:${slot.override ?? 'none'}` : [],
      );
      return { overrides: overrides?.join(' '), until: snapshot?.maintenanceUntilAt, revision: snapshot?.revision };
    },
  };
}

describe('a planned maintenance', () => {
  it('takes its targets out when it begins, and gives them back when it ends', async () => {
    const { roundAfter } = await leader((now) => [inAnHour(now, { targets: ['b'], state: 'drain' })]);
    expect(await roundAfter(0)).toEqual({ overrides: 'a:none b:none', revision: 1 });
    expect(await roundAfter(1.1 * hourMs)).toEqual({ overrides: 'a:none b:drain', revision: 2 });
    expect(await roundAfter(0.5 * hourMs)).toEqual({ overrides: 'a:none b:drain', revision: 2 });
    expect(await roundAfter(0.5 * hourMs)).toEqual({ overrides: 'a:none b:none', revision: 3 });
  });

  it('gives way to what an operator asks for by hand', async () => {
    const { roundAfter, requests, clock } = await leader((now) => [inAnHour(now, { targets: ['a', 'b'] })]);
    await requests.override('web', 'a', 'ready', 'ann', clock.now(), never);
    expect((await roundAfter(1.5 * hourMs)).overrides).toBe('a:ready b:maint');
  });

  it('of the service as a whole is one by hand, too, until its time is over or it is ended', async () => {
    const { roundAfter, requests, clock } = await leader((now) => [inAnHour(now)]);
    await requests.maintenance('web', clock.now() + hourMs / 2, 'ann', clock.now(), never);
    expect((await roundAfter(0)).until).toBe(clock.now() + hourMs / 2);
    expect((await roundAfter(0.6 * hourMs)).until).toBeUndefined();
    await requests.maintenance('web', clock.now() + 9 * hourMs, 'ann', clock.now(), never);
    const byHand = clock.now() + 9 * hourMs;
    expect((await roundAfter(hourMs)).until).toBe(byHand);
    await requests.maintenance('web', undefined, 'ann', clock.now(), never);
    expect((await roundAfter(0)).until).toBeLessThan(byHand);
  });

  it('of the service as a whole stands in its list, until when', async () => {
    const { roundAfter } = await leader((now) => [inAnHour(now)]);
    expect((await roundAfter(0)).until).toBeUndefined();
    const { until, overrides, revision } = await roundAfter(1.5 * hourMs);
    expect([until === undefined, overrides, revision]).toEqual([false, 'a:none b:none', 2]);
    expect(await roundAfter(hourMs)).toEqual({ overrides: 'a:none b:none', revision: 3 });
  });
});
