import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HsdoError } from '../../../src/model/error.ts';
import { consulStoreSchema, openConsulStore } from '../../../src/store/consul.ts';
import { etcdSchema, openEtcdStore } from '../../../src/store/etcd.ts';
import type { Store } from '../../../src/store/store.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { withDeadline } from '../../../src/time/deadline.ts';

const servers: Server[] = [];
const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Takes connections and requests; `answers` or not, and counts them. */
async function listen(answers: boolean) {
  const state = { asked: 0, url: '' };
  const server = createServer((message, response) => {
    state.asked += 1;
    message.resume();
    if (!answers) return;
    response.statusCode = 503;
    response.end('{}');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

const never = new AbortController().signal;
const open = {
  etcd: (endpoints: readonly string[]) =>
    openEtcdStore(etcdSchema.parse({ kind: 'etcd', endpoints, requestTimeoutMs: 30_000 }), systemClock),
  consul: (endpoints: readonly string[]) =>
    openConsulStore(consulStoreSchema.parse({ kind: 'consul', endpoints, requestTimeoutMs: 30_000 }), systemClock),
};

describe.each(['etcd', 'consul'] as const)('%s, when a caller has less time than one request may take', (kind) => {
  it('begins with another endpoint after one that let the time run out', async () => {
    const [hung, other] = [await listen(false), await listen(true)];
    const store = await open[kind]([hung.url, other.url]);
    stores.push(store);
    const read = () => withDeadline('The store', 1000, never, (signal) => store.get('lease', signal));
    await expect(read()).rejects.toThrow(HsdoError);
    expect([hung.asked, other.asked]).toEqual([1, 0]);
    await expect(read()).rejects.toThrow(HsdoError);
    expect(other.asked).toBeGreaterThan(0);
  }, 20_000);
});
