import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { type DnsLists, loadDnsLists } from '../../../src/daemon/dns/dns-lists.ts';
import { createClosers } from '../../../src/daemon/lifecycle.ts';
import { createStoreHealth } from '../../../src/daemon/store-health.ts';
import { loadDnsMemory, saveDnsMemory } from '../../../src/deliver/dns/memory.ts';
import { HsdoError } from '../../../src/model/error.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createFakeClock, type FakeClock } from '../../fixtures/clock.ts';
import { snapshotOf, taken, target } from '../../fixtures/lists.ts';
import { recordingLog } from '../../fixtures/log.ts';
import { until } from '../../fixtures/until.ts';

const rev = (revision: number) => snapshotOf([taken(1, target('t1'))], { revision });

describe('the lists that names are answered from', () => {
  let folder: string;
  let clock: FakeClock;
  let says: Snapshot | undefined | 'away';
  let changed: string[];
  let stop: () => Promise<void> = async () => {};
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hsdo-state-'));
    clock = createFakeClock();
    [says, changed] = [undefined, []];
  });
  afterEach(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  });

  const answer = () => {
    if (says === 'away') throw new HsdoError('unavailable', 'the store is away');
    return says;
  };

  async function start(stateDirectory = folder): Promise<{ lists: DnsLists; log: ReturnType<typeof recordingLog> }> {
    const config = configSchema.parse({
      services: [{ name: 'web' }],
      store: { kind: 'sqlite', path: join(folder, 'hsdo.db') },
      cluster: { nodeId: 's1' },
      stateDirectory,
    });
    const [log, metrics, closers] = [recordingLog(), createMetrics(), createClosers()];
    const lists = await loadDnsLists(
      { config, clock, log, metrics, closers },
      {
        services: ['web'],
        health: createStoreHealth('dns', clock, metrics),
        open: async () => {
          answer();
          const snapshots = {
            revision: async () => answer()?.revision ?? 0,
            read: async () => answer(),
            write: () => Promise.reject(new Error('this role never writes')),
          };
          return { snapshots, close: async () => {} };
        },
        onChange: (service) => changed.push(service),
      },
    );
    const stopping = new AbortController();
    const running = lists.run(stopping.signal);
    stop = async () => {
      stopping.abort(new Error('the test is over'));
      await running;
      await closers.closeAll(log);
    };
    return { lists, log };
  }

  it('come out of the store, and are on the disk soon after', async () => {
    says = rev(3);
    const { lists } = await start();
    expect(lists.current('web')).toBeUndefined();
    await clock.advance(1000);
    expect([lists.current('web')?.revision, changed]).toEqual([3, ['web']]);
    const log = recordingLog();
    await until('it is on the disk', async () => (await loadDnsMemory(folder, 'web', log))?.revision === 3);
  });

  it('are those of the last run from the start, also while the store is away', async () => {
    await saveDnsMemory(folder, rev(7));
    says = 'away';
    const { lists } = await start();
    expect(lists.current('web')?.revision).toBe(7);
    await clock.advance(60_000);
    expect(lists.current('web')?.revision).toBe(7);
    says = rev(8);
    await clock.advance(15_000);
    expect(lists.current('web')?.revision).toBe(8);
  });

  it('are called unconfirmed once the store was silent for ten seconds, since its last answer, until it answers', async () => {
    says = rev(3);
    const { lists } = await start();
    await clock.advance(5000);
    changed.length = 0;
    const lastAnswerAt = clock.now();
    says = 'away';
    await clock.advance(9000);
    expect([lists.silentSinceAt('web'), changed]).toEqual([undefined, []]);
    await clock.advance(3000);
    expect(changed).toEqual(['web']);
    expect(Math.abs((lists.silentSinceAt('web') ?? 0) - lastAnswerAt)).toBeLessThanOrEqual(1000);
    await clock.advance(60_000);
    expect(changed).toEqual(['web']);
    says = rev(3);
    await clock.advance(2000);
    expect([lists.silentSinceAt('web'), changed]).toEqual([undefined, ['web', 'web']]);
  });

  it('are saved at a clean stop at the latest', async () => {
    says = rev(3);
    await start();
    await clock.advance(1000);
    says = rev(4);
    await clock.advance(1000);
    await stop();
    stop = async () => {};
    expect((await loadDnsMemory(folder, 'web', recordingLog()))?.revision).toBe(4);
  });

  it('go on where the disk refuses, which is said once', async () => {
    await writeFile(join(folder, 'file'), '');
    says = rev(3);
    const { lists, log } = await start(join(folder, 'file'));
    await clock.advance(1000);
    await until('it is said', () => log.lines.some(({ message }) => message === 'saving the memory of DNS fails'));
    says = rev(4);
    await clock.advance(30_000);
    expect(lists.current('web')?.revision).toBe(4);
    expect(log.lines.filter(({ message }) => message === 'saving the memory of DNS fails')).toHaveLength(1);
  });
});
