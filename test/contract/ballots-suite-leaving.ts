import { describe, expect, it } from 'vitest';
import type { BallotReader } from '../../src/publish/ballot-reader.ts';
import { ballot, largeBallot } from '../fixtures/votes.ts';
import type { Hands } from './ballots-suite.ts';
import { never } from './store-place.ts';

/** Time to live of every observer of the suite. */
export const ttlMs = 10_000;
const web = { services: ['web'] };

/** Who is registered, and whether he lives. */
export async function freshness(reader: BallotReader): Promise<readonly string[]> {
  return (await reader.read(never)).map(({ id, isFresh }) => `${id} ${isFresh ? 'fresh' : 'silent'}`);
}

/** How observers go, by themselves or otherwise. */
export function describeLeaving(open: () => Promise<Hands>): void {
  describe('when observers leave', () => {
    it('of a transient observer leave with it; those of a named one stay until it is decommissioned', async () => {
      const { reader, writer, clock, store } = await open();
      const [guest, named] = [writer('guest', { isTransient: true }), writer('named')];
      await guest.cast(largeBallot('guest', 500), web, never);
      await named.cast(largeBallot('named', 500), web, never);
      expect(await freshness(reader)).toEqual(['guest fresh', 'named fresh']);
      await expect(reader.decommission('named', never)).rejects.toMatchObject({
        code: 'rejected',
        message: expect.stringMatching(/"named": it lives; stop it and wait 10 s/),
      });
      await clock.advance(ttlMs);
      expect(await freshness(reader)).toEqual(['named silent']);
      expect(await reader.tidy(never)).toEqual([]);
      await clock.advance(9 * ttlMs);
      expect(await reader.tidy(never)).toEqual(['guest']);
      expect((await store.list('', never)).filter(({ key }) => key.includes('guest'))).toEqual([]);
      await reader.decommission('named', never);
      expect(await store.list('', never)).toEqual([]);
      await expect(reader.decommission('named', never)).rejects.toMatchObject({ code: 'rejected' });
    });

    it('are not removed from under an observer that is back', async () => {
      const { reader, writer, clock } = await open();
      const [guest, named] = [writer('guest', { isTransient: true }), writer('named')];
      for (const one of [guest, named]) await one.cast(ballot('', { web: { a: 'up' } }), web, never);
      await reader.read(never);
      await clock.advance(10 * ttlMs);
      await guest.beat(never);
      expect(await reader.tidy(never)).toEqual([]);
      await named.beat(never);
      await expect(reader.decommission('named', never)).rejects.toMatchObject({ code: 'rejected' });
      expect(await freshness(reader)).toEqual(['guest fresh', 'named fresh']);
    });

    it('go with their observer when it withdraws, and come anew when it speaks again', async () => {
      const { reader, writer, store } = await open();
      const guest = writer('guest', { isTransient: true });
      const large = largeBallot('guest', 900);
      await guest.withdraw(never);
      await guest.cast(large, web, never);
      await guest.withdraw(never);
      await guest.beat(never);
      expect(await store.list('', never)).toEqual([]);
      await guest.cast(large, web, never);
      expect((await reader.read(never))[0]?.ballot).toEqual(large);
    });

    it('come anew from an observer that was decommissioned although it lives', async () => {
      const { reader, writer, store } = await open();
      const one = writer('one');
      await one.cast(largeBallot('one', 300), web, never);
      const keys = (await store.list('', never)).map(({ key }) => key);
      await reader.read(never);
      await store.commit(
        keys.map((key) => ({ op: 'delete', key }) as const),
        never,
      );
      await one.beat(never);
      expect((await reader.read(never))[0]?.ballot).toEqual(largeBallot('one', 300));
    });
  });
}
