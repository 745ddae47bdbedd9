import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { etcdSchema, openEtcdStore } from '../../../src/store/etcd.ts';
import type { Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/time/clock.ts';

const never = new AbortController().signal;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Said {
  readonly revision: number;
  readonly value?: string;
  readonly cluster?: string;
}

const encode = (text: string) => Buffer.from(text).toString('base64');

/** A member that answers each read of the key `k` with what comes next; the last stays. Real ones lag only by chance. */
async function startMember(...script: readonly Said[]) {
  const asked: boolean[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.once('end', () => {
      const { serializable } = JSON.parse(text) as { serializable?: boolean };
      const { revision, value, cluster = '7' } = script[Math.min(asked.length, script.length - 1)] as Said;
      asked.push(serializable === true);
      const kvs = value === undefined ? [] : [{ key: encode('hsdo/k'), value: encode(value), mod_revision: '2' }];
      response.end(JSON.stringify({ header: { cluster_id: cluster, revision: String(revision) }, kvs }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function open(...endpoints: readonly string[]): Promise<Store> {
  const store = await openEtcdStore(etcdSchema.parse({ kind: 'etcd', endpoints }), systemClock);
  ends.push(() => store.close());
  return store;
}

describe('a store on etcd', () => {
  it('takes no answer from before what it has seen, and asks the next member', async () => {
    const behind = await startMember({ revision: 10, value: 'new' }, { revision: 9, value: 'old' });
    const alone = await open(behind.endpoint);
    expect((await alone.get('k', never))?.value).toBe('new');
    const message = expect.stringContaining('answers from revision 9, but 10 was seen already');
    await expect(alone.get('k', never)).rejects.toMatchObject({ code: 'unavailable', message });
    await expect(alone.list('', never)).rejects.toMatchObject({ code: 'unavailable', message });

    const again = await startMember({ revision: 10, value: 'new' }, { revision: 9, value: 'old' });
    const ahead = await startMember({ revision: 11, value: 'newer' });
    const both = await open(again.endpoint, ahead.endpoint);
    await both.get('k', never);
    expect((await both.get('k', never))?.value).toBe('newer');
  });

  it('asks the whole cluster where a member that may lag does', async () => {
    const member = await startMember({ revision: 10 }, { revision: 9, value: 'old' }, { revision: 12, value: 'new' });
    const store = await open(member.endpoint);
    await store.get('k', never);
    expect((await store.get('k', never, { mayBeStale: true }))?.value).toBe('new');
    expect(member.asked).toEqual([false, true, false]);
  });

  it('does not mix clusters', async () => {
    const member = await startMember({ revision: 10 }, { revision: 11, cluster: '8' });
    const store = await open(member.endpoint);
    await store.get('k', never);
    const message = expect.stringContaining('belongs to the cluster 8, expected 7 as before');
    await expect(store.get('k', never)).rejects.toMatchObject({ code: 'unavailable', message });
  });

  it('believes nothing that etcd would not say', async () => {
    const server = createServer((_, response) => response.end('<html>It works!</html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => server.close());
    const store = await open(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(store.get('k', never)).rejects.toMatchObject({ code: 'unavailable' });
    const change = { op: 'put', key: 'k', value: '' } as const;
    await expect(store.commit([change], never)).rejects.toMatchObject({ code: 'unavailable' });
    server.closeAllConnections();
  });
});
