import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditEntry, createAudit } from '../../../src/publish/audit.ts';
import { createRequests } from '../../../src/publish/requests.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';

const { signal } = new AbortController();
const entry = (at: number, fields: Partial<AuditEntry> = {}): AuditEntry => ({
  at,
  by: 'ann',
  from: '127.0.0.1',
  node: 'one',
  action: 'override',
  service: 'web',
  ...fields,
});

describe('the audit', () => {
  it('is kept in the commit of what it tells of: both are there, or neither', async () => {
    const store = openMemoryStore(createMemoryEngine());
    const audit = createAudit(store);
    await createRequests(audit.beside(entry(5))).override('web', 'i-1', 'drain', 'ann', 5, signal);
    expect(await audit.list(10, signal)).toEqual([entry(5)]);
    const ours = await store.list('', signal);
    expect(ours).toHaveLength(2);
    const bad = audit.beside(entry(6)).commit([{ op: 'check', key: 'nothing', expect: 'x' }], signal);
    await expect(bad).rejects.toMatchObject({ code: 'conflict' });
    expect(await store.list('', signal)).toEqual(ours);
  });

  it('gives the newest first, in the order of time, also of entries of one moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 2 ** 45 }), { maxLength: 20 }), async (times) => {
        const store = openMemoryStore(createMemoryEngine());
        const audit = createAudit(store);
        for (const at of times) await store.commit([audit.record(entry(at))], signal);
        const sorted = times.toSorted((one, other) => other - one);
        expect((await audit.list(1000, signal)).map(({ at }) => at)).toEqual(sorted);
        expect((await audit.list(3, signal)).map(({ at }) => at)).toEqual(sorted.slice(0, 3));
      }),
    );
  });

  it('keeps the last ones and removes what is older, however much that is', async () => {
    const store = openMemoryStore(createMemoryEngine());
    const audit = createAudit(store, 10);
    for (let at = 1; at <= 150; at += 1) await store.commit([audit.record(entry(at))], signal);
    expect((await audit.list(1000, signal)).map(({ at }) => at)).toEqual([
      150, 149, 148, 147, 146, 145, 144, 143, 142, 141,
    ]);
    await audit.prune(signal);
    expect(await store.list('audit/', signal)).toHaveLength(10);
    await audit.prune(signal);
    expect((await audit.list(1, signal))[0]?.at).toBe(150);
  });

  it('leaves out what somebody else wrote there', async () => {
    const store = openMemoryStore(createMemoryEngine());
    const audit = createAudit(store);
    await store.commit([audit.record(entry(1)), { op: 'put', key: 'audit/x', value: '{"at":"soon"}' }], signal);
    expect(await audit.list(10, signal)).toEqual([entry(1)]);
  });
});
