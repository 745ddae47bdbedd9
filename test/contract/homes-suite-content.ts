import { describe, expect, it } from 'vitest';
import type { Slot } from '../../src/model/slot.ts';
import type { Desired, Snapshot } from '../../src/model/snapshot.ts';
import type { Homes } from '../../src/publish/homes.ts';
import type { Term } from '../../src/publish/term.ts';
import { startAt, taken, target } from '../fixtures/lists.ts';

const never = new AbortController().signal;

export const free = (index: number): Slot => ({ state: 'free', index });

/** A list of `size` slots of which the first `count` are taken. */
export function listOf(size: number, count: number, fields: Partial<Desired> = {}): Desired {
  const slots = Array.from({ length: size }, (_, n) => (n < count ? taken(n + 1, target(`t${n + 1}`)) : free(n + 1)));
  return { service: 'web', slots, unplaced: [], ...fields };
}

/** What the suite does with homes. */
export interface HomesHands {
  openTwo(): Promise<readonly [Homes, Homes]>;
  lead(homes: Homes, holder: string): Promise<Term>;
  publish(homes: Homes, previous: Snapshot | undefined, desired: Desired, term: Term): Promise<Snapshot>;
}

/** All that a snapshot can say, and that none of it stays behind. */
export function describeContent({ openTwo, lead, publish }: HomesHands): void {
  describe('the content of snapshots', () => {
    it('come back exactly as they were published, with all that a slot can say', async () => {
      const [one, two] = await openTwo();
      const full = target('i-1', { port: 8080, zone: 'a', weight: 50, name: 'web-1.example' });
      const six = target('i-6', { address: '2001:db8::6', group: 'other' });
      const slots: Slot[] = [
        taken(1, full, { weight: 3, joinedAt: startAt - 90_000, override: 'maint' }),
        taken(2, target('i-2'), { override: 'drain' }),
        taken(3, target('i-3'), { override: 'ready' }),
        {
          state: 'draining',
          index: 4,
          target: target('i-4'),
          joinedAt: startAt - 5,
          weight: 7,
          drainUntil: startAt + 30_000,
        },
        { state: 'free', index: 5, last: { id: 'i-5', address: '10.0.0.5', port: 81, leftAt: startAt - 1 } },
        taken(6, six, { weight: 0 }),
        taken(7, target('i-7'), { weight: 4, health: { verdict: 'up', code: 'ok', sinceAt: startAt - 3 } }),
        taken(8, target('i-8'), {
          health: { verdict: 'down', code: 'not-primary', sinceAt: startAt, isInDoubt: true },
          out: 'down',
        }),
        taken(9, target('i-9'), { health: { verdict: 'undecided', code: 'ok', sinceAt: startAt }, out: 'new' }),
        taken(10, target('i-10'), { out: 'standby', override: 'drain' }),
        { state: 'free', index: 11, last: { id: 'i-11', address: '10.0.0.11', leftAt: startAt - 1 } },
        free(12),
      ];
      const hold = { token: 'hold-1', sinceAt: startAt - 10, targets: ['i-2', 'i-3'] };
      const judged: Partial<Desired> = {
        panic: { sinceAt: startAt - 4, serves: 'fallback', fallback: ['192.0.2.1', '2001:db8::9'] },
        active: 'i-7',
        activeSinceAt: startAt - 2,
        maintenanceUntilAt: startAt + 60_000,
        switchover: { token: 'w1', targetId: 'i-7', targetName: 'seven', by: 'ann', at: startAt - 2 },
        primary: { highestTimeline: 12, lastId: 'i-7', forgotten: 'token-1' },
      };
      const desired: Desired = { service: 'web', slots, unplaced: ['i-19', 'i-20'], hold, ...judged };
      const written = await publish(one, undefined, desired, await lead(one, 'one'));
      expect(written).toEqual({ ...desired, revision: 1, epoch: 1, publishedAt: startAt });
      expect(await two.snapshots.read('web', never)).toStrictEqual(written);
      expect(await two.snapshots.revision('web', never)).toBe(1);
    });

    it('let go of a hold, a panic, an active target and unplaced ones when those are gone', async () => {
      const [one] = await openTwo();
      const term = await lead(one, 'one');
      const hold = { token: 'hold-1', sinceAt: startAt, targets: ['t1'] };
      const passing: Partial<Desired> = {
        hold,
        panic: { sinceAt: startAt, serves: 'last-good' },
        active: 't1',
        activeSinceAt: startAt,
        maintenanceUntilAt: startAt + 1,
        switchover: {
          token: 'w1',
          targetId: 't1',
          targetName: 't1',
          by: 'ann',
          at: 1,
          ended: 'purged',
          endedBy: 'bob',
        },
        primary: { lastId: 't1' },
      };
      const first = await publish(one, undefined, listOf(3, 2, { ...passing, unplaced: ['x'] }), term);
      expect(await one.snapshots.read('web', never)).toStrictEqual(first);
      const calm = await publish(one, first, listOf(3, 2), term);
      expect(await one.snapshots.read('web', never)).toStrictEqual(calm);
      for (const name of Object.keys(passing)) expect(calm).not.toHaveProperty(name);
      const again = await publish(one, calm, listOf(3, 2, { panic: { sinceAt: startAt, serves: 'none' } }), term);
      expect(await one.snapshots.read('web', never)).toStrictEqual(again);
    });
  });
}
