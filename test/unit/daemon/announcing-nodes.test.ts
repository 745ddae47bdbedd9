import { describe, expect, it } from 'vitest';
import { createNodeWatch } from '../../../src/daemon/telling/announcing-nodes.ts';
import type { ClusterState } from '../../../src/deliver/notify/announce-nodes.ts';
import { observerKey } from '../../../src/publish/ballot-format.ts';
import type { RegisteredObserver } from '../../../src/publish/ballot-reader.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { never } from '../../fixtures/notices.ts';

const observer = (id: string, fields: Partial<RegisteredObserver> = {}): RegisteredObserver => ({
  id,
  kind: 'server',
  isTransient: true,
  isFresh: true,
  services: [],
  ballot: { observer: id, services: new Map() },
  ...fields,
});

function watch() {
  const store = openMemoryStore(createMemoryEngine());
  const clock = createFakeClock();
  let all: readonly RegisteredObserver[] | undefined;
  const nodes = createNodeWatch({ store, observers: () => all, ttlMs: 30_000, clock });
  const known: ClusterState = {
    epoch: 1,
    holder: 'a',
    nodes: [
      { id: 'b', kind: 'server' },
      { id: 'g', kind: 'agent' },
    ],
  };
  return {
    clock,
    store,
    hear(...observers: readonly RegisteredObserver[]) {
      all = observers;
    },
    async silent(state = known) {
      const { nodes: found } = await nodes.facts(state, never);
      return found?.filter(({ isSilent }) => isSilent).map(({ id }) => id);
    },
    isSettled: async () => (await nodes.facts(undefined, never)).isSettled,
  };
}

describe('which nodes are silent', () => {
  it('is not known before anybody was heard, nor settled before a whole time to live', async () => {
    const { hear, silent, isSettled, clock } = watch();
    expect(await silent()).toBeUndefined();
    hear(observer('a'));
    expect(await isSettled()).toBe(false);
    await clock.advance(30_000);
    expect(await isSettled()).toBe(true);
  });

  it('are those that are not fresh, and agents of which a server hears nothing', async () => {
    const { hear, silent } = watch();
    const quiet = observer('g', { kind: 'agent', abstains: 'it has reported nothing' });
    hear(observer('a', { abstains: 'its way out is down' }), observer('b', { isFresh: false }), quiet);
    expect(await silent()).toEqual(['b', 'g']);
  });

  it('are those that left a record behind, and not one that said goodbye, until the record is gone, too', async () => {
    const { hear, silent, store, clock } = watch();
    const key = observerKey('b');
    hear(observer('a'), observer('g', { kind: 'agent' }));
    await store.commit([{ op: 'put', key, value: '{}' }], never);
    expect(await silent()).toEqual(['b']);
    await store.commit([{ op: 'delete', key }], never);
    await clock.advance(10_000);
    expect(await silent()).toEqual([]);
  });

  it('are agents that are gone at once, since those have no goodbye', async () => {
    const { hear, silent } = watch();
    hear(observer('a'), observer('b'));
    expect(await silent()).toEqual(['g']);
    expect(await silent({ epoch: 1, holder: 'a', nodes: [{ id: 'g', kind: 'agent', silentSinceAt: 1 }] })).toEqual([]);
  });
});
