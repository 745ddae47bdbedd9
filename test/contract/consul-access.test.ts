import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { consulStoreSchema, openConsulStore } from '../../src/store/consul.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { describeWith } from '../fixtures/component.ts';
import { type ConsulCluster, startConsulCluster } from '../fixtures/consul-cluster.ts';
import { until } from '../fixtures/until.ts';
import { never, put } from './store-place.ts';

describeWith(['consul', 'openssl'], 'Consul with tokens and TLS', () => {
  let consul: ConsulCluster;
  let certificates: Certificates;
  let folder: string;
  let tls: { readonly ca: string; readonly cert: string; readonly key: string };
  beforeAll(async () => {
    certificates = await makeCertificates();
    folder = await mkdtemp(join(tmpdir(), 'hsdo-consul-tls-'));
    tls = { ca: certificates.caFile, cert: join(folder, 'good.pem'), key: join(folder, 'good.key') };
    await writeFile(tls.cert, certificates.good.cert);
    await writeFile(tls.key, certificates.good.key);
    consul = await startConsulCluster(tls);
  }, 40_000);
  afterAll(async () => {
    await consul.stop();
    await certificates.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const open = (more: object = {}) => {
    const config = { kind: 'consul', endpoints: consul.endpoints, requestTimeoutMs: 5000, ...more };
    return openConsulStore(consulStoreSchema.parse(config), systemClock);
  };

  it('never takes what a token may not see for what does not exist', async () => {
    const root = await open({ token: consul.rootToken, prefix: 'secret/' });
    await put(root, 'lease', 'held');
    await put(root, 'snapshot/web/head', 'head');
    const part = await consul.createToken('key_prefix "secret/snapshot/" { policy = "read" }');
    const other = await consul.createToken('key_prefix "other/" { policy = "write" }');
    for (const token of [part, other, 'nobody-knows', undefined]) {
      const store = await open({ prefix: 'secret/', ...(token === undefined ? {} : { token }) });
      const calls = [
        store.get('lease', never),
        store.get('lease', never, { mayBeStale: true }),
        store.list('', never),
        store.list('lea', never),
        put(store, 'lease', 'mine', null),
        store.commit([{ op: 'check', key: 'lease', expect: null }], never),
      ];
      const message = expect.stringContaining('expected a token with key_prefix "secret/" { policy = "write" }');
      // A lease that another holds is no conflict either, for who may not see it.
      const refused = calls.map(() => ({ status: 'rejected', reason: { code: 'rejected', message } }));
      expect(await Promise.allSettled(calls)).toMatchObject(refused);
      await store.close();
    }
    const reader = await open({ token: part, prefix: 'secret/' });
    expect((await reader.list('snapshot/', never)).map(({ value }) => value)).toEqual(['head']);
    expect(await reader.list('snapshot/none/', never)).toEqual([]);
    expect((await reader.get('snapshot/web/head', never))?.value).toBe('head');
    for (const store of [root, reader]) await store.close();
  });

  it('refuses everything once the token is taken away', async () => {
    const token = await consul.createToken('key_prefix "revoked/" { policy = "write" }');
    const store = await open({ token, prefix: 'revoked/' });
    await put(store, 'k', '1');
    await consul.revokeToken(token);
    const refused = (call: () => Promise<unknown>) =>
      until('the token is refused', () =>
        call().then(
          () => false,
          (error: { code?: string }) => error.code === 'rejected',
        ),
      );
    await refused(() => store.get('k', never));
    await refused(() => store.list('', never));
    await store.close();
  });

  it('takes nothing from before what was seen, not even when a backup was restored', async () => {
    const headers = { 'x-consul-token': consul.rootToken };
    const url = `${consul.endpoints[0]}/v1/snapshot`;
    const store = await open({ token: consul.rootToken, prefix: 'restored/' });
    await put(store, 'k', 'old');
    const backup = await (await fetch(url, { headers })).arrayBuffer();
    await put(store, 'k', 'new');
    expect((await fetch(url, { method: 'PUT', headers, body: backup })).status).toBe(200);
    const message = expect.stringContaining('hsdo must be started anew');
    for (const options of [{}, { mayBeStale: true }]) {
      await expect(store.get('k', never, options)).rejects.toMatchObject({ code: 'unavailable', message });
    }
    const anew = await open({ token: consul.rootToken, prefix: 'restored/' });
    expect((await anew.get('k', never))?.value).toBe('old');
    for (const one of [store, anew]) await one.close();
  });

  it('is reached by TLS with a certificate of ours, and by nobody else', async () => {
    const common = { token: consul.rootToken, prefix: 'tls/', endpoints: consul.secureEndpoints };
    const store = await open({ ...common, tls });
    await put(store, 'k', '1');
    expect((await store.get('k', never))?.value).toBe('1');
    await store.close();
    for (const more of [
      { tls: { ca: tls.ca } },
      { tls: { ...tls, ca: tls.cert } },
      { tls: { ...tls, serverName: 'other.test' } },
    ]) {
      const wrong = await open({ ...common, ...more });
      await expect(wrong.get('k', never)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(put(wrong, 'k', '2')).rejects.toMatchObject({ code: 'unavailable' });
      await wrong.close();
    }
  });

  it('names a commit that is too large, and a datacenter that does not exist', async () => {
    const store = await open({ token: consul.rootToken, prefix: 'large/' });
    const noise = () => randomBytes(120 * 1024).toString('base64');
    const changes = Array.from({ length: 4 }, (_, n) => ({ op: 'put', key: `k${n}`, value: noise() }) as const);
    await expect(store.commit(changes, never)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('too large'),
    });
    const texts = changes.map((change) => ({ ...change, value: 'slot '.repeat(40_000) }));
    expect((await store.commit(texts, never)).size).toBe(4);
    const elsewhere = await open({ token: consul.rootToken, datacenter: 'nowhere' });
    await expect(elsewhere.get('k', never)).rejects.toMatchObject({
      message: expect.stringContaining('No path to datacenter'),
    });
    for (const one of [store, elsewhere]) await one.close();
  });
});
