import { describe, expect, it } from 'vitest';
import type { Votes } from '../../src/model/ballot.ts';
import { type BallotReader, createBallotReader } from '../../src/publish/ballot-reader.ts';
import { type BallotWriter, createBallotWriter } from '../../src/publish/ballot-writer.ts';
import type { Store } from '../../src/store/store.ts';
import { createFakeClock, type FakeClock } from '../fixtures/clock.ts';
import { ballot, largeBallot, vote, withVote } from '../fixtures/votes.ts';
import { describeLeaving, freshness, ttlMs } from './ballots-suite-leaving.ts';
import { never, put, type StorePlace, useStores } from './store-place.ts';

const web = { services: ['web'] };

/** One process that reads and others that write, in one place. */
export interface Hands {
  readonly clock: FakeClock;
  readonly reader: BallotReader;
  readonly store: Store;
  writer(observer: string, options?: { readonly isTransient?: boolean; readonly clock?: FakeClock }): BallotWriter;
}

/** What everybody finds of what everybody says, on the real engine. Only the freshness goes by a clock, and that is a fake. */
export function describeBallots(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`ballots on ${name}`, () => {
    const { openHandles } = useStores(makePlace);
    const open = async (): Promise<Hands> => {
      const [writing, reading] = (await openHandles(2)) as [Store, Store];
      const clock = createFakeClock();
      return {
        clock,
        reader: createBallotReader({ store: reading, clock }),
        store: reading,
        writer: (observer, { isTransient = false, clock: own = clock } = {}) =>
          createBallotWriter({ store: writing, observer, isTransient, ttlMs, clock: own }),
      };
    };
    describeLeaving(open);

    it('come back as they were cast, of every observer', async () => {
      const { reader, writer } = await open();
      expect(await reader.read(never)).toEqual([]);
      const full = vote('down', {
        code: 'not-primary',
        connectMs: 0.4,
        totalMs: 12,
        role: 'replica',
        timeline: 3,
      });
      const one = ballot('node/1 ü', { web: { 'i-1': 'up', 'i-2': 'down' }, db: { 'pg-1': full } });
      const two = ballot('node-2', { web: { 'i-1': 'down', ['__proto__']: 'up' } });
      expect(await writer('node/1 ü').cast(one, { services: ['web', 'db', 'idle'] }, never)).toBe(true);
      await writer('node-2', { isTransient: true }).cast(two, { ...web, abstains: 'no way out' }, never);
      const read = await reader.read(never);
      expect(read.map(({ id }) => id).sort()).toEqual(['node-2', 'node/1 ü']);
      const [first, second] = ['node/1 ü', 'node-2'].map((id) => read.find((one) => one.id === id));
      expect(first).toEqual({
        id: 'node/1 ü',
        isFresh: true,
        kind: 'server',
        isTransient: false,
        services: ['web', 'db', 'idle'],
        ballot: { observer: 'node/1 ü', services: new Map<string, Votes>([...one.services, ['idle', new Map()]]) },
      });
      expect(second).toMatchObject({ id: 'node-2', isTransient: true, abstains: 'no way out', ballot: two });
      expect(reader.unreadable()).toEqual([]);
    });

    it('of six thousand targets fit, change by small writes, and are the same objects where nothing changed', async () => {
      const { reader, writer, store } = await open();
      const large = largeBallot('one', 6000);
      const one = writer('one');
      await one.cast(large, web, never);
      const [first] = await reader.read(never);
      expect(first?.ballot).toEqual(large);
      const before = await store.list('ballot/', never);
      const bytes = before.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0);
      expect(bytes).toBeLessThan(400 * 1024);
      await one.beat(never);
      expect((await reader.read(never))[0]).toBe(first);

      const [anId = '', old] = [...(large.services.get('web') ?? [])][17] ?? [];
      await one.cast(withVote(large, anId, vote('down', { code: 'timeout' })), web, never);
      const written = (await store.list('ballot/', never)).filter(
        ({ key, version }) => before.find((part) => part.key === key)?.version !== version,
      );
      expect(written).toHaveLength(1);
      const [second] = await reader.read(never);
      const votes = second?.ballot.services.get('web');
      expect([votes?.size, old?.health, votes?.get(anId)?.code]).toEqual([6000, 'up', 'timeout']);
      const kept = [...(votes ?? [])].filter(([id, each]) => first?.ballot.services.get('web')?.get(id) === each);
      expect(kept).toHaveLength(5999);
    });

    it('lose targets and services that are not watched any more', async () => {
      const { reader, writer } = await open();
      const one = writer('one');
      await one.cast(ballot('one', { web: { a: 'up', b: 'up' }, db: { c: 'up' } }), { services: ['web', 'db'] }, never);
      const [before] = await reader.read(never);
      await one.cast(ballot('one', { web: { a: 'up' }, db: { c: 'up' } }), { services: ['web', 'db'] }, never);
      const [after] = await reader.read(never);
      expect([...(after?.ballot.services.get('web') ?? [])].map(([id]) => id)).toEqual(['a']);
      expect(after?.ballot.services.get('db')).toBe(before?.ballot.services.get('db'));
      await one.cast(ballot('one', { web: { a: 'up' }, db: { c: 'up' } }), { services: ['db'] }, never);
      const [last] = await reader.read(never);
      expect([last?.services, [...(last?.ballot.services.keys() ?? [])]]).toEqual([['db'], ['db']]);
    });

    it('are fresh for as long as heartbeats come, by the clock of the reader alone', async () => {
      const { reader, writer, clock } = await open();
      const elsewhere = createFakeClock(5);
      const one = writer('one', { clock: elsewhere });
      await one.cast(ballot('one', { web: { a: 'up' } }), web, never);
      for (let n = 0; n < 4; n++) {
        expect(await freshness(reader)).toEqual(['one fresh']);
        await clock.advance(ttlMs - 1);
        clock.jumpWall(-1e9);
        await one.beat(never);
      }
      expect(await freshness(reader)).toEqual(['one fresh']);
      await clock.advance(ttlMs - 1);
      expect(await freshness(reader)).toEqual(['one fresh']);
      await clock.advance(1);
      expect(await freshness(reader)).toEqual(['one silent']);
      await clock.advance(1e9);
      expect(await freshness(reader)).toEqual(['one silent']);
      await one.beat(never);
      expect(await freshness(reader)).toEqual(['one fresh']);
    });

    it('are found again by their observer after a restart, and replaced by what it says then', async () => {
      const { reader, writer } = await open();
      const large = largeBallot('one', 3000);
      expect(await writer('one').former(never)).toBeUndefined();
      await writer('one').cast(large, web, never);
      await reader.read(never);
      const again = writer('one');
      expect(await again.former(never)).toEqual(large);
      await again.beat(never);
      const small = ballot('one', { web: { a: 'down' } });
      expect(await again.cast(small, web, never)).toBe(true);
      expect((await reader.read(never))[0]?.ballot).toEqual(small);
      expect(reader.unreadable()).toEqual([]);
    });

    it('tell of changed votes and not of heartbeats', async () => {
      const { reader, writer } = await open();
      if (!reader.changed) return;
      const one = writer('one');
      await one.cast(ballot('one', { web: { a: 'up' } }), web, never);
      // A hint may also be about what came before it and was not read yet.
      await reader.read(never);
      let told = 0;
      const waiting = reader.changed(never).then(() => void told++);
      for (let n = 0; n < 5; n++) await one.beat(never);
      expect(told).toBe(0);
      await one.cast(ballot('one', { web: { a: 'down' } }), web, never);
      await waiting;
    });

    it('belong together in every read while their observer changes its mind all the time', async () => {
      const { reader, writer } = await open();
      const one = writer('one');
      const say = (sinceAt: number) => {
        const large = largeBallot('one', 1000);
        const votes = [...(large.services.get('web') ?? [])].map(([id, each]) => [id, { ...each, sinceAt }] as const);
        return one.cast({ observer: 'one', services: new Map([['web', new Map(votes)]]) }, web, never);
      };
      await say(0);
      let isOver = false;
      const talking = (async () => {
        for (let n = 1; n <= 15; n++) await say(n);
        isOver = true;
      })();
      let whole = 0;
      while (!isOver) {
        const votes = [...((await reader.read(never))[0]?.ballot.services.get('web')?.values() ?? [])];
        // Where it never was one state in all the tries, the votes are missing.
        if (votes.length > 0) whole += 1;
        expect(new Set(votes.map(({ sinceAt }) => sinceAt)).size).toBe(votes.length > 0 ? 1 : 0);
        expect([0, 1000]).toContain(votes.length);
      }
      await talking;
      expect(whole).toBeGreaterThan(0);
      expect((await reader.read(never))[0]?.ballot.services.get('web')?.size).toBe(1000);
    });

    it('of others survive a record that is garbage', async () => {
      const { reader, writer, store } = await open();
      await writer('one').cast(ballot('one', { web: { a: 'up' } }), web, never);
      await put(store, 'observer/two', '{"format":1,"kind":"server"}');
      await put(store, 'observer/%', 'x');
      expect(await freshness(reader)).toEqual(['one fresh']);
      expect(reader.unreadable()).toEqual([
        expect.stringContaining('Cannot read "observer/%"'),
        expect.stringContaining('Cannot read "observer/two"'),
      ]);
    });
  });
}
