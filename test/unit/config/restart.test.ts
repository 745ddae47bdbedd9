import { describe, expect, it } from 'vitest';
import { restartPaths } from '../../../src/config/restart.ts';
import { configSchema } from '../../../src/config/schema.ts';

const config = (more: Readonly<Record<string, unknown>> = {}) =>
  configSchema.parse({
    services: [{ name: 'web', source: { kind: 'file', path: 'targets.yaml' } }],
    store: { kind: 'sqlite', path: 'hsdo.db' },
    cluster: { nodeId: 's1' },
    stateDirectory: 'state',
    ...more,
  });

describe('what takes a restart', () => {
  it('is not a configuration that is the same, nor services, notifiers, tokens and intervals', () => {
    expect(restartPaths(config(), config(), { server: true })).toEqual([]);
    const other = config({
      services: [{ name: 'api', source: { kind: 'static', targets: ['10.0.0.1:80'] }, check: 'tcp' }],
      api: { tokens: [{ name: 'ops', role: 'operate', token: '0123456789abcdef' }] },
      notify: [{ kind: 'webhook', name: 'all', url: 'http://127.0.0.1:1/' }],
      intervalSeconds: 5,
      log: { level: 'debug' },
      dns: { domain: 'example.org', ttlSeconds: 7 },
    });
    expect(restartPaths(config(), other, { server: true })).toEqual([]);
  });

  it('is the store, the node, and every place to listen at', () => {
    const other = config({
      store: { kind: 'sqlite', path: 'other.db' },
      cluster: { nodeId: 's2' },
      stateDirectory: 'elsewhere',
      api: { listen: '127.0.0.1:1' },
      exporter: { listen: 'off' },
      log: { format: 'json' },
    });
    expect(restartPaths(config(), other, { server: true })).toEqual([
      'store',
      'cluster',
      'stateDirectory',
      'api.listen',
      'exporter.listen',
      'log.format',
    ]);
  });

  it('is a secret of the store that is another one, which no way of printing it would show', () => {
    const etcd = (password: string) =>
      config({ store: { kind: 'etcd', endpoints: ['http://127.0.0.1:2379'], username: 'hsdo', password } });
    expect(restartPaths(etcd('one'), etcd('one'), {})).toEqual([]);
    expect(restartPaths(etcd('one'), etcd('other'), {})).toEqual(['store']);
  });

  it('is how DNS is spoken, where this process speaks it; not what it says', () => {
    const dns = (more: object) => config({ dns: { domain: 'example.org', ...more } });
    const [before, after] = [dns({}), dns({ listen: ['127.0.0.1:53'], rateLimit: { perSecond: 1 }, ttlSeconds: 1 })];
    expect(restartPaths(before, after, { dns: true })).toEqual(['dns.listen', 'dns.rateLimit']);
    expect(restartPaths(before, after, { server: true })).toEqual([]);
  });

  it('is the first HAProxy of a client, and how the table of HSDO is read', () => {
    const web = { name: 'web', source: { kind: 'file', path: 'targets.yaml' } };
    const haproxy = { sockets: ['/run/haproxy/admin.sock'], backends: [{ name: 'web', baseName: 'web' }] };
    const after = config({ services: [{ ...web, haproxy }] });
    expect(restartPaths(config(), after, { client: true })).toEqual(['services (the first or last haproxy block)']);
    expect(restartPaths(config(), after, { server: true })).toEqual([]);
    const store = { kind: 'dynamodb', hsdoTable: 'hsdo' };
    const table = (max: number, increase: number) =>
      config({ store, services: [{ ...web, weight: { max, increase } }] });
    expect(restartPaths(table(10, 1), table(20, 1), {})).toEqual([]);
    expect(restartPaths(table(10, 1), table(10, 2), {})).toHaveLength(1);
  });
});
