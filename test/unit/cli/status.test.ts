import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StatusView } from '../../../src/api/view.ts';
import { showStatus } from '../../../src/cli/status.ts';

beforeEach(() => vi.stubEnv('NO_COLOR', '1'));
afterEach(() => vi.unstubAllEnvs());

const statusOf = (fields: Partial<StatusView>): StatusView => ({
  node: 'n1',
  version: '1',
  roles: ['client'],
  at: 60_000,
  store: { kind: 'etcd', refusals: [] },
  problems: [],
  observers: [],
  services: [],
  ...fields,
});
const lines = (status: StatusView) => showStatus(status).split('\n');

describe('hsdo status', () => {
  it('says all in order, and when the store answered', () => {
    const shown = lines(statusOf({ store: { kind: 'etcd', lastSuccessAt: 57_000, refusals: [] } }));
    expect(shown).toContain('store   etcd, last answer 3 s ago');
    expect(shown.at(-1)).toBe('all in order');
  });

  it('says of a store that fails that not all is in order, where the client works on without it', () => {
    const shown = lines(statusOf({ store: { kind: 'etcd', lastError: 'nobody listens', refusals: [] } }));
    expect(shown).toContain('store   etcd, last answer never, fails: nobody listens');
    expect(shown.at(-1)).toBe('! store: nobody listens');
  });

  it('says it once where it is a problem of the process', () => {
    const store = { kind: 'etcd', lastError: 'nobody listens', refusals: [] };
    const shown = lines(statusOf({ store, problems: [{ part: 'store', message: 'nobody listens' }] }));
    expect(shown.filter((line) => line.startsWith('! '))).toEqual(['! store: nobody listens']);
  });
});
