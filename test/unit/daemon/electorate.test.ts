import { describe, expect, it } from 'vitest';
import { createElectorate } from '../../../src/daemon/observing/electorate.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { createBallotReader } from '../../../src/publish/ballot-reader.ts';
import { createBallotWriter } from '../../../src/publish/ballot-writer.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import type { Store } from '../../../src/store/store.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { recordingLog } from '../../fixtures/log.ts';
import { until } from '../../fixtures/until.ts';
import { ballot } from '../../fixtures/votes.ts';

const never = new AbortController().signal;
const ttlMs = 15_000;

/** A process that reads the votes every second, over a store that can be taken from it, and observers that write them. */
function world() {
  const [clock, engine, log] = [createFakeClock(), createMemoryEngine(), recordingLog()];
  const store = openMemoryStore(engine);
  let isAway = false;
  let changes = 0;
  const reach = async <T>(call: () => Promise<T>): Promise<T> => {
    if (isAway) throw new HsdoError('unavailable', 'the store is away');
    return call();
  };
  const { changed: _, ...quiet } = store;
  const cut: Store = {
    ...quiet,
    get: (...args) => reach(() => store.get(...args)),
    list: (...args) => reach(() => store.list(...args)),
    commit: (...args) => reach(() => store.commit(...args)),
  };
  const reader = createBallotReader({ store: cut, clock });
  let reads = 0;
  const electorate = createElectorate({
    reader: {
      ...reader,
      read: (signal) =>
        reader.read(signal).finally(() => {
          reads += 1;
        }),
    },
    intervalMs: 1000,
    clock,
    log,
    onChange: () => {
      changes += 1;
    },
  });
  const stopping = new AbortController();
  return {
    /** Lets so many seconds pass; in each of them the votes are read once. */
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second += 1) {
        const before = reads;
        await clock.advance(1000);
        await until('the votes are read', () => reads > before, { everyMs: 1 });
        await clock.advance(0);
      }
    },
    read: () => until('the votes are read', () => reads > 0, { everyMs: 1 }),
    log,
    electorate,
    changes: () => changes,
    start: () => electorate.run(stopping.signal),
    stop: () => stopping.abort(new Error('the test is over')),
    setAway(next: boolean) {
      isAway = next;
    },
    writer: (observer: string, isTransient = false) =>
      createBallotWriter({ store, observer, isTransient, ttlMs, clock }),
  };
}

const web = { services: ['web'] };

describe('the electorate', () => {
  it('is not known before it was read, and then everybody with their votes', async () => {
    const { read, pass, electorate, writer, changes, start, stop } = world();
    await writer('s1').cast(ballot('s1', { web: { a: 'up' } }), web, never);
    expect(electorate.observers()).toBeUndefined();
    const running = start();
    await read();
    expect(electorate.observers()).toMatchObject([{ id: 's1', isFresh: true, services: ['web'] }]);
    expect(electorate.observers()?.[0]?.ballot.services.get('web')?.get('a')).toMatchObject({ health: 'up' });
    await writer('s2').cast(ballot('s2', {}), { ...web, abstains: 'it is cut off' }, never);
    await pass(1);
    expect(electorate.observers()).toMatchObject([{ id: 's1' }, { id: 's2', abstains: 'it is cut off' }]);
    expect(changes()).toBe(2);
    await pass(5);
    expect(changes()).toBe(2);
    stop();
    await running;
  });

  it('stays as it was while the store is away, and is told so once; then whoever was silent is not fresh', async () => {
    const { read, pass, electorate, writer, log, setAway, start, stop } = world();
    const [one, two] = [writer('s1'), writer('s2')];
    for (const [id, by] of [['s1', one] as const, ['s2', two] as const]) {
      await by.cast(ballot(id, { web: { a: 'up' } }), web, never);
    }
    const running = start();
    await read();
    const before = electorate.observers();
    setAway(true);
    await pass(60);
    expect(electorate.observers()).toBe(before);
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([['warn', 'reading the votes fails']]);
    setAway(false);
    await one.beat(never);
    await pass(1);
    expect(log.lines.at(-1)).toMatchObject({ level: 'info', message: 'reading the votes works again' });
    expect(electorate.observers()).toMatchObject([
      { id: 's1', isFresh: true },
      { id: 's2', isFresh: false },
    ]);
    stop();
    await running;
  });

  it('loses a transient observer that is long gone, and one that is struck off', async () => {
    const { read, pass, electorate, writer, log, start, stop } = world();
    await writer('t1', true).cast(ballot('t1', {}), web, never);
    await writer('s1').cast(ballot('s1', {}), web, never);
    const running = start();
    await read();
    await expect(electorate.decommission('s1', never)).rejects.toMatchObject({ code: 'rejected' });
    await pass((11 * ttlMs) / 1000 + 60);
    expect(electorate.observers()?.map(({ id }) => id)).toEqual(['s1']);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ fields: { observer: 't1' }, message: 'an observer that is long gone is removed' }),
    );
    await electorate.decommission('s1', never);
    await until('it is read again', () => electorate.observers()?.length === 0);
    stop();
    await running;
  });
});
