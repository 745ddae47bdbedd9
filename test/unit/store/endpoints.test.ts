import { describe, expect, it } from 'vitest';
import { consulStoreSchema } from '../../../src/store/consul.ts';
import { openEndpoints } from '../../../src/store/endpoints.ts';
import { etcdSchema } from '../../../src/store/etcd.ts';

const etcd = (more: object) => etcdSchema.safeParse({ kind: 'etcd', endpoints: 'a:1', ...more });
const consul = (more: object) => consulStoreSchema.safeParse({ kind: 'consul', ...more });

function faults(result: ReturnType<typeof etcd> | ReturnType<typeof consul>): string[] {
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('where a store is', () => {
  it('is said as a list, or as one text with commas as in dhaf', async () => {
    for (const [endpoints, wanted] of [
      [
        ['10.0.0.1:2379', 'http://b', '[::1]:7'],
        ['http://10.0.0.1:2379', 'http://b:2379', 'http://[::1]:7'],
      ],
      ['http://111.1.1.1:2379,http://112.2.2.2:2379/', ['http://111.1.1.1:2379', 'http://112.2.2.2:2379']],
      ['ip1:80, ip2:81', ['http://ip1:80', 'http://ip2:81']],
    ] as const) {
      const parsed = etcdSchema.parse({ kind: 'etcd', hosts: endpoints });
      const opened = await openEndpoints(parsed.hosts ?? [], 2379, parsed.tls);
      expect(opened.inTurn().map(({ origin }) => origin)).toEqual(wanted);
      opened.close();
    }
  });

  it('is spoken to by TLS where that is set, and never by both', async () => {
    const secure = await openEndpoints(['a:443', 'https://b'], 2379, {});
    expect(secure.isTls).toBe(true);
    expect(secure.inTurn().map(({ origin }) => origin)).toEqual(['https://a:443', 'https://b:2379']);
    secure.close();
    const mixed = openEndpoints(['a:1', 'https://b'], 2379, undefined);
    await expect(mixed).rejects.toMatchObject({ code: 'config', message: expect.stringContaining('all with https') });
  });

  it.each([
    [etcd({ endpoints: undefined }), 'endpoints: expected endpoints, the members of etcd'],
    [etcd({ hosts: 'b:1' }), 'endpoints: expected endpoints'],
    [etcd({ endpoints: [] }), 'endpoints: '],
    [etcd({ endpoints: ['a:1', 'b'] }), 'endpoints.1: expected host:port, http://host:port or https://host:port'],
    [etcd({ endpoints: 'a:1,,b:2' }), 'endpoints.1: expected host:port'],
    [etcd({ endpoints: 'a:99999' }), 'endpoints.0: expected host:port'],
    [etcd({ endpoints: 'http://user:pw@a:1' }), 'endpoints.0: expected host:port'],
    [etcd({ username: 'u' }), 'password: username and password belong together'],
    [etcd({ password: 'p' }), 'password: username and password belong together'],
    [etcd({ tls: { cert: 'a.pem' } }), 'tls: cert and key belong together'],
    [etcd({ endpoints: 'http://a:1', tls: {} }), 'tls: expected no endpoint with http:// where tls is set'],
    [etcd({ prefix: 'hsdo' }), 'prefix: expected 2 to 129 characters that end in one slash'],
    [etcd({ prefix: '/hsdo/' }), 'prefix: expected no slash at the beginning'],
    [etcd({ token: 't' }), ': Unrecognized key: "token"'],
    [consul({ url: 'http://a:8500', endpoints: 'b:8500' }), 'url: expected url or endpoints, not both'],
    [consul({ token: '' }), 'token: '],
    [consul({ url: 'a' }), 'url.0: expected host:port'],
  ])('is refused by name where it is wrong (%#)', (result, wanted) => {
    expect(faults(result)).toEqual([expect.stringContaining(wanted)]);
  });

  it('needs nothing but its kind for a Consul on the same machine', () => {
    expect(consul({}).data).toMatchObject({ prefix: 'hsdo/', requestTimeoutMs: 2000 });
  });
});
