import { z } from 'zod';
import { secret } from '../model/secret.ts';
import type { Clock } from '../time/clock.ts';
import { contradictsTls, endpointsSchema, openEndpoints, prefixSchema, tlsSchema } from './endpoints.ts';
import { createEtcdClient, type EtcdClient } from './etcd-client.ts';
import { createEtcdWatch } from './etcd-watch.ts';
import { keyOf, rangeSchema, toEntry, wireKey, wireRange } from './etcd-wire.ts';
import { commitToEtcd } from './etcd-write.ts';
import { assertKey } from './limits.ts';
import type { Entry, Store } from './store.ts';

/** Where etcd is, who logs in, and which part of it is ours. */
export const etcdSchema = z
  .strictObject({
    kind: z.literal('etcd'),
    /** Members of one cluster, asked in turn; port 2379 unless said. */
    endpoints: endpointsSchema.optional(),
    /** The same under dhaf's name. */
    hosts: endpointsSchema.optional(),
    username: z.string().min(1).optional(),
    password: z.string().min(1).transform(secret).optional(),
    tls: tlsSchema.optional(),
    /** Before all keys; keeps the clusters of hsdo in one etcd apart. */
    prefix: prefixSchema.default('hsdo/'),
    /** Limit of one request to one endpoint. */
    requestTimeoutMs: z.int().min(50).max(60_000).default(2000),
  })
  .refine(({ endpoints, hosts }) => (endpoints === undefined) !== (hosts === undefined), {
    message: 'expected endpoints, the members of etcd (or hosts, their name in dhaf, but not both)',
    path: ['endpoints'],
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    message: 'username and password belong together: expected both or neither',
    path: ['password'],
  })
  .refine(({ endpoints, hosts, tls }) => !contradictsTls(endpoints ?? hosts, tls), {
    message: 'expected no endpoint with http:// where tls is set',
    path: ['tls'],
  });
export type EtcdConfig = z.infer<typeof etcdSchema>;

const defaultPort = 2379;
const rangePath = '/v3/kv/range';
/** For how long a watch is believed that says nothing. */
const watchLifeMs = 10_000;

/**
 * The plain store on etcd 3.4 or newer, by its JSON gateway, which every member has on its client port. The packages for
 * gRPC were measured and left out: a watch of theirs stayed silent through a pause of its member. Nothing is asked of
 * etcd yet, so that a process starts while it is away.
 *
 * @throws HsdoError `config` when a file of `tls` cannot be used
 */
export async function openEtcdStore(config: EtcdConfig, clock: Clock): Promise<Store> {
  const endpoints = await openEndpoints(config.endpoints ?? config.hosts ?? [], defaultPort, config.tls);
  const client = createEtcdClient(endpoints, config);
  return {
    get: (key, signal, options) => get(client, key, options?.mayBeStale === true, signal),
    list: (prefix, signal) => list(client, prefix, signal),
    commit: (changes, signal) => commitToEtcd(client, changes, signal),
    changed: createEtcdWatch(client, config, clock, watchLifeMs),
    async close() {
      client.close();
    },
  };
}

async function get(
  client: EtcdClient,
  key: string,
  mayBeStale: boolean,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  assertKey(key);
  signal.throwIfAborted();
  const read = (serializable: boolean) => {
    const question = {
      path: rangePath,
      body: { key: wireKey(client.prefix, key), serializable },
      mayLag: serializable,
    };
    return client.ask(`read "${key}"`, question, rangeSchema, signal);
  };
  const seen = client.revision() ?? 0n;
  const first = await read(mayBeStale);
  const { kvs } = first.header.revision < seen ? await read(false) : first;
  return kvs[0] && toEntry(client.prefix, kvs[0]);
}

async function list(client: EtcdClient, prefix: string, signal: AbortSignal): Promise<readonly Entry[]> {
  signal.throwIfAborted();
  const body = wireRange(client.prefix, prefix);
  const { kvs } = await client.ask(`list "${prefix}"`, { path: rangePath, body }, rangeSchema, signal);
  return kvs
    .filter((kv) => keyOf(client.prefix, kv) !== '')
    .map((kv) => toEntry(client.prefix, kv))
    .sort((one, other) => (one.key < other.key ? -1 : 1));
}
