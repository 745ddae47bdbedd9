import { describe, expect, it } from 'vitest';
import { hasCode } from '../../src/model/error.ts';
import type { Store } from '../../src/store/store.ts';
import { until } from '../fixtures/until.ts';
import { never } from './store-place.ts';

/** A cluster of three whose members can be made to fail. */
export interface Breakable {
  leader(): Promise<number>;
  signal(member: number, name: NodeJS.Signals): void;
  start(member: number): Promise<void>;
  /** A handle whose first way is the given member. */
  open(member: number): Promise<Store>;
}

interface Tried {
  readonly key: string;
  readonly ended: 'done' | 'conflict' | 'unavailable';
}

/** Writes over one counter as fast as it can, with a key of its own in every commit that tells whether it was done. */
async function writeOn(store: Store, writer: string, signal: AbortSignal, tried: Tried[]): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const key = `log/${writer}/${n}`;
    const attempt = async (): Promise<Tried['ended']> => {
      try {
        const counter = await store.get('counter', never);
        await store.commit(
          [
            { op: 'put', key: 'counter', value: key, expect: counter?.version ?? null },
            { op: 'put', key, value: '' },
          ],
          never,
        );
        return 'done';
      } catch (error) {
        if (hasCode(error, 'conflict')) return 'conflict';
        if (hasCode(error, 'unavailable')) return 'unavailable';
        throw error;
      }
    };
    tried.push({ key, ended: await attempt() });
  }
}

/** What a commit says holds, whatever happens to the engine's own leader. */
export function describeLeaderFaults(makeCluster: () => Promise<Breakable>): void {
  describe('when the leader of the store fails', () => {
    it('loses no write that it acknowledged and calls none a conflict that was done', { timeout: 60_000 }, async () => {
      const cluster = await makeCluster();
      const stores = await Promise.all([0, 1, 2].map((member) => cluster.open(member)));
      const tried: Tried[] = [];
      const stop = new AbortController();
      const writers = stores.map((store, n) => writeOn(store, `w${n}`, stop.signal, tried));
      const done = () => tried.filter(({ ended }) => ended === 'done').length;
      const goesOn = async () => {
        const before = done();
        await until('writes are acknowledged', () => done() > before + 20, { timeoutMs: 30_000 });
      };
      await goesOn();
      for (const [fault, repair] of [
        ['SIGKILL', (member: number) => cluster.start(member)],
        ['SIGSTOP', async (member: number) => cluster.signal(member, 'SIGCONT')],
      ] as const) {
        const leader = await cluster.leader();
        cluster.signal(leader, fault);
        await goesOn();
        await repair(leader);
        await goesOn();
      }
      stop.abort();
      await Promise.all(writers);
      const [witness] = stores as [Store];
      const written = new Set((await witness.list('log/', never)).map(({ key }) => key));
      const lost = tried.filter(({ key, ended }) => ended === 'done' && !written.has(key));
      const misnamed = tried.filter(({ key, ended }) => ended === 'conflict' && written.has(key));
      expect({ lost, misnamed }).toEqual({ lost: [], misnamed: [] });
      for (const store of stores) await store.close();
    });
  });
}
