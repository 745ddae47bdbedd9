import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEndpoints } from '../../src/store/endpoints.ts';
import { etcdSchema, openEtcdStore } from '../../src/store/etcd.ts';
import { createEtcdClient } from '../../src/store/etcd-client.ts';
import { createEtcdWatch } from '../../src/store/etcd-watch.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { describeWith } from '../fixtures/component.ts';
import { base64, type Etcd, type EtcdTls, nextPrefix, startEtcd } from '../fixtures/etcd.ts';
import { until } from '../fixtures/until.ts';
import { never, put } from './store-place.ts';
import { describeStore } from './store-suite.ts';

describeWith(['etcd', 'openssl'], 'etcd with logins and TLS', () => {
  let etcd: Etcd;
  let certificates: Certificates;
  let folder: string;
  let tls: EtcdTls;
  beforeAll(async () => {
    certificates = await makeCertificates();
    folder = await mkdtemp(join(tmpdir(), 'hsdo-etcd-tls-'));
    tls = { ca: certificates.caFile, cert: join(folder, 'good.pem'), key: join(folder, 'good.key') };
    await writeFile(tls.cert, certificates.good.cert);
    await writeFile(tls.key, certificates.good.key);
    etcd = await startEtcd({ ...tls, asks: true });
    await etcd.enableAuth('root-pw');
    await etcd.addUser('hsdo', 'hsdo-pw', { key: 'place-', end: 'place.' });
  });
  afterAll(async () => {
    await etcd.stop();
    await certificates.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const open = (more: object = {}) => {
    const login = { username: 'hsdo', password: 'hsdo-pw', tls };
    const { endpoints } = etcd;
    const config = { kind: 'etcd', endpoints, requestTimeoutMs: 5000, prefix: nextPrefix(), ...login, ...more };
    return openEtcdStore(etcdSchema.parse(config), systemClock);
  };

  describeStore('etcd with logins and TLS', async () => {
    const prefix = nextPrefix();
    const openWarm = async () => {
      const store = await open({ prefix });
      // A hint covers what comes after the first answer, and a login takes its time.
      await store.get('warm', never);
      return store;
    };
    return { open: openWarm, remove: async () => {} };
  });

  it.each([
    [
      'a wrong password',
      { password: 'wrong' },
      expect.stringMatching(/the user "hsdo" or its password is not accepted/),
    ],
    [
      'no login',
      { username: undefined, password: undefined },
      expect.stringMatching(/expected username and password to be set/),
    ],
    [
      'keys of others',
      { prefix: 'other/' },
      expect.stringMatching(/the user "hsdo" lacks a right; .* keys that begin with "other\/"/),
    ],
  ])('refuses %s by name, for everything that can be asked', async (_, more, message) => {
    const store = await open(more);
    const calls = [
      store.get('k', never),
      store.get('k', never, { mayBeStale: true }),
      store.list('', never),
      put(store, 'k', ''),
      store.commit([{ op: 'check', key: 'k', expect: null }], never),
      store.changed?.('', never) ?? Promise.reject(new Error('no hints')),
    ];
    const refused = calls.map(() => ({ status: 'rejected', reason: { code: 'rejected', message } }));
    expect(await Promise.allSettled(calls)).toMatchObject(refused);
    await store.close();
  });

  it('logs in again by itself when its token is gone or rights were changed', async () => {
    const store = await open({ endpoints: [etcd.endpoints[2]] });
    await put(store, 'k', '1');
    await etcd.addUser('somebody', 'else', { key: 'x', end: 'y' });
    await put(store, 'k', '2');
    // Tokens live in the memory of each member.
    etcd.signal(2, 'SIGKILL');
    await etcd.start(2);
    expect((await store.get('k', never))?.value).toBe('2');
    await put(store, 'k', '3');
    await store.close();
  });

  it('talks to nobody whose certificate is not in order', async () => {
    for (const [more, message] of [
      [{ tls: { ...tls, ca: tls.cert } }, /etcd at "https:.*cannot be asked: .*(unable|self|signed|issuer)/],
      [{ tls: { ...tls, serverName: 'other.test' } }, /does not match|altnames/],
    ] as const) {
      const store = await open(more);
      const reason = { code: 'unavailable', message: expect.stringMatching(message) };
      await expect(store.get('k', never)).rejects.toMatchObject(reason);
      await expect(put(store, 'k', '')).rejects.toMatchObject(reason);
      await store.close();
    }
    const named = await open({ tls: { ...tls, serverName: 'web.test' } });
    expect(await named.get('k', never)).toBeUndefined();
    await named.close();
    const missing = { tls: { ...tls, ca: join(folder, 'nothing.pem') } };
    await expect(open(missing)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/tls\.ca ".*nothing\.pem"/),
    });
  });
});

describeWith(['etcd'], 'watches of etcd', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd.stop());
  const openWith = async (prefix: string, endpoints: readonly string[]) =>
    openEtcdStore(etcdSchema.parse({ kind: 'etcd', endpoints, prefix }), systemClock);

  describe('a hint', () => {
    it('comes although the member that was listened to stands still', async () => {
      const prefix = nextPrefix();
      const access = { prefix, requestTimeoutMs: 500 };
      const client = createEtcdClient(await openEndpoints(etcd.endpoints, 2379, undefined), access);
      const changed = createEtcdWatch(client, access, systemClock, 500);
      const writer = await openWith(prefix, [etcd.endpoints[1] ?? '']);
      await put(writer, 'k', '1');
      let told = 0;
      const first = changed('k', never).then(() => void told++);
      const early = put(writer, 'k', '2');
      await until('the watch hears', async () => {
        await early;
        await put(writer, 'k', 'again');
        return told === 1;
      });
      await first;
      await changed('k', AbortSignal.timeout(300)).catch(() => {});
      const second = changed('k', never).then(() => void told++);
      etcd.signal(0, 'SIGSTOP');
      await until('another member takes writes', () => put(writer, 'k', '3'), { timeoutMs: 20_000 });
      await until('the watch hears', () => told === 2);
      etcd.signal(0, 'SIGCONT');
      await second;
      client.close();
      await writer.close();
    });

    it('is given when etcd has forgotten what happened since the last one', async () => {
      const prefix = nextPrefix();
      const store = await openWith(prefix, etcd.endpoints);
      const version = await put(store, 'k', '1');
      const waiting = store.changed?.('k', never);
      for (const value of ['2', '3', '4']) await put(store, 'k', value);
      await waiting;
      const last = await put(store, 'k', '5');
      await etcd.call('/v3/kv/compaction', { revision: last });
      expect(Number(last)).toBeGreaterThan(Number(version));
      await store.changed?.('k', never);
      await store.close();
    });

    it('is not given for what lies beside the prefix of the store', async () => {
      const [ours, theirs] = [nextPrefix(), nextPrefix()];
      const store = await openWith(ours, etcd.endpoints);
      const other = await openWith(theirs, etcd.endpoints);
      await put(store, 'k', 'ours');
      await put(other, 'k', 'theirs');
      expect((await store.list('', never)).map(({ value }) => value)).toEqual(['ours']);
      const patience = new AbortController();
      const waiting = store.changed?.('', patience.signal);
      await put(other, 'k', 'theirs again');
      patience.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      const read = await etcd.call('/v3/kv/range', { key: base64(`${ours}k`) });
      expect(JSON.stringify(read)).toContain(base64('ours'));
      for (const one of [store, other]) await one.close();
    });
  });
});
