import { describe, expect, it } from 'vitest';
import { createFollower } from '../../../src/daemon/follow.ts';
import { HsdoError } from '../../../src/model/error.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import type { Snapshots } from '../../../src/publish/snapshots.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { snapshotOf, taken, target } from '../../fixtures/lists.ts';
import { recordingLog } from '../../fixtures/log.ts';

/** Plays what the store says, look by look: a snapshot, nothing, or an outage. */
async function follow(says: readonly (Snapshot | undefined | 'away')[], initial?: Snapshot) {
  const clock = createFakeClock();
  const log = recordingLog();
  const stop = new AbortController();
  const delivered: number[] = [];
  const looks: boolean[] = [];
  let n = -1;
  let reads = 0;
  const answer = () => {
    const said = says[Math.min(n, says.length - 1)];
    if (said === 'away') throw new HsdoError('unavailable', 'the store is away');
    return said;
  };
  const snapshots: Snapshots = {
    async revision() {
      n += 1;
      return answer()?.revision ?? 0;
    },
    async read() {
      reads += 1;
      return answer();
    },
    write: () => Promise.reject(new Error('a follower never writes')),
  };
  const follower = createFollower({
    service: 'web',
    snapshots,
    intervalMs: 1000,
    clock,
    log,
    initial,
    onSnapshot: ({ revision }) => delivered.push(revision),
    onLook: (error) => looks.push(error === undefined),
  });
  const loop = follower.run(stop.signal);
  for (let look = 1; look < says.length; look += 1) await clock.advance(1000);
  await clock.advance(1);
  stop.abort();
  await loop;
  return {
    delivered,
    looks,
    reads,
    warnings: log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message),
  };
}

const rev = (revision: number, fields: Partial<Snapshot> = {}) =>
  snapshotOf([taken(1, target('t1'))], { revision, ...fields });

describe('a follower', () => {
  it('delivers a snapshot once, and reads the whole list only when the revision moved', async () => {
    const { delivered, reads } = await follow([rev(1), rev(1), rev(1), rev(2), rev(2)]);
    expect([delivered, reads]).toEqual([[1, 2], 2]);
  });

  it('keeps what it has over an outage, says so once, and goes on by itself', async () => {
    const { delivered, looks, warnings } = await follow(['away', 'away', rev(5), 'away', rev(6)], rev(4));
    expect(delivered).toEqual([5, 6]);
    expect(looks).toEqual([false, false, true, false, true]);
    expect(warnings).toHaveLength(2);
  });

  it('keeps what it has when the store holds nothing at all', async () => {
    expect((await follow([undefined, undefined], rev(4))).delivered).toEqual([]);
  });

  it('does not deliver again what it remembers from its last run', async () => {
    expect((await follow([rev(4), rev(4)], rev(4))).delivered).toEqual([]);
  });

  it('takes a list of the same revision from a store that was made anew since its last run', async () => {
    const other = snapshotOf([taken(1, target('t2'))], { revision: 4 });
    expect((await follow([other, other], rev(4))).delivered).toEqual([4]);
  });

  it('follows a store that was put back to an older list, with a warning', async () => {
    const { delivered, warnings } = await follow([rev(9), rev(3)]);
    expect(delivered).toEqual([9, 3]);
    expect(warnings).toEqual(['the store went back to an older snapshot']);
  });

  it("follows a table in which HSDO's own server writes, which counts no revisions", async () => {
    const hsdo = (weight: number) => snapshotOf([taken(1, target('t1'), { weight })], { revision: 0, epoch: 0 });
    expect((await follow([hsdo(1), hsdo(1), hsdo(2)])).delivered).toEqual([0, 0]);
  });
});
