import { z } from 'zod';
import { HsdoError, hasCode } from '../model/error.ts';
import { secret } from '../model/secret.ts';
import type { Clock } from '../time/clock.ts';
import { isDenied, lacksRight, type Pair } from './consul-answers.ts';
import { type ConsulClient, createConsulClient } from './consul-client.ts';
import { createSights } from './consul-sights.ts';
import { createConsulWatch } from './consul-watch.ts';
import { commitToConsul } from './consul-write.ts';
import { contradictsTls, endpointsSchema, openEndpoints, prefixSchema, tlsSchema } from './endpoints.ts';
import { assertKey } from './limits.ts';
import { unpack } from './packing.ts';
import type { Entry, Store } from './store.ts';

/** Where Consul is, who asks, and which part of its keys is ours. */
export const consulStoreSchema = z
  .strictObject({
    kind: z.literal('consul'),
    /** Agents of one datacenter, asked in turn; port 8500 unless said. */
    endpoints: endpointsSchema.optional(),
    /** The same for one agent, as the source of kind consul has it. */
    url: endpointsSchema.optional(),
    token: z.string().min(1).transform(secret).optional(),
    datacenter: z.string().min(1).optional(),
    tls: tlsSchema.optional(),
    /** Before all keys; keeps the clusters of hsdo in one Consul apart. */
    prefix: prefixSchema.default('hsdo/'),
    /** Limit of one request to one agent. */
    requestTimeoutMs: z.int().min(50).max(60_000).default(2000),
  })
  .refine(({ endpoints, url }) => endpoints === undefined || url === undefined, {
    message: 'expected url or endpoints, not both',
    path: ['url'],
  })
  .refine(({ endpoints, url, tls }) => !contradictsTls(endpoints ?? url, tls), {
    message: 'expected no endpoint with http:// where tls is set',
    path: ['tls'],
  });
export type ConsulStoreConfig = z.infer<typeof consulStoreSchema>;

const defaultPort = 8500;
/** How long Consul may hold a blocking query. */
const waitMs = 10_000;

/**
 * The plain store in Consul's keys. Everything is a transaction: paths of `/v1/kv` cannot name each key (Consul redirects
 * `a//b`), and a read of a single key there tells keys that a token may not see from those that do not exist, but a list
 * does not. Nothing is asked of Consul yet, so that a process starts while it is away.
 *
 * @throws HsdoError `config` when a file of `tls` cannot be used
 */
export async function openConsulStore(config: ConsulStoreConfig, clock: Clock): Promise<Store> {
  const texts = config.endpoints ?? config.url ?? [`127.0.0.1:${defaultPort}`];
  const endpoints = await openEndpoints(texts, defaultPort, config.tls);
  const client = await createConsulClient(endpoints, config);
  const sights = createSights();
  const readPair = async (key: string, signal: AbortSignal) => {
    const floor = sights.indexOf(key);
    const { pair } = await get(client, key, 'consistent', signal);
    if (pair !== undefined && pair.ModifyIndex < floor) throw wentBack(key, pair.ModifyIndex, floor);
    sights.note(key, pair?.ModifyIndex);
    return pair;
  };
  return {
    async get(key, signal, options) {
      assertKey(key);
      signal.throwIfAborted();
      if (options?.mayBeStale !== true) return toEntry(config.prefix, await readPair(key, signal));
      const { pair, isOld } = await glance(client, key, signal);
      if (isOld || sights.mayBeBehind(key, pair?.ModifyIndex)) {
        return toEntry(config.prefix, await readPair(key, signal));
      }
      sights.note(key, pair?.ModifyIndex);
      return toEntry(config.prefix, pair);
    },
    list: (prefix, signal) => list(client, prefix, signal),
    commit: async (changes, signal) => {
      const versions = await commitToConsul(client, readPair, changes, signal);
      for (const [key, version] of versions) sights.note(key, Number(version));
      return versions;
    },
    changed: createConsulWatch(client, clock, waitMs),
    async close() {
      client.close();
    },
  };
}

/** Versions of before could be given again, so nothing that this process remembers is safe to write with. */
function wentBack(key: string, index: number, seen: number): HsdoError {
  const message = `Cannot read "${key}": Consul answers with index ${index}, but ${seen} was seen already; after a backup was restored hsdo must be started anew`;
  return new HsdoError('unavailable', message);
}

function toEntry(prefix: string, pair: Pair | undefined): Entry | undefined {
  if (pair === undefined) return undefined;
  const value = unpack(pair.Key, Buffer.from(pair.Value ?? '', 'base64'));
  return { key: pair.Key.slice(prefix.length), value, version: String(pair.ModifyIndex) };
}

/** Consul refuses to get a key that does not exist, and leaves one out that the token may not see. */
async function get(client: ConsulClient, key: string, how: 'consistent' | 'stale', signal: AbortSignal) {
  const action = `read "${key}"`;
  const answer = await client.read(action, [{ verb: 'get', key: client.prefix + key }], how, signal);
  if ('pairs' in answer) {
    const [pair] = answer.pairs;
    if (!pair) throw lacksRight(`Cannot ${action}: Consul hides it`, client.prefix);
    return { pair, isOld: answer.isOld };
  }
  if (isDenied(answer.refusals)) throw lacksRight(`Cannot ${action}: Consul refuses`, client.prefix);
  return { pair: undefined, isOld: answer.isOld };
}

/** A read of whatever server is asked. One that lags may not know a token or a right yet, so its refusal counts for nothing. */
async function glance(client: ConsulClient, key: string, signal: AbortSignal) {
  try {
    return await get(client, key, 'stale', signal);
  } catch (error) {
    if (!hasCode(error, 'rejected')) throw error;
    return { pair: undefined, isOld: true };
  }
}

/**
 * Consul leaves out of a list what the token may not see, without a word. So the right is proven before, and after an
 * empty list again: what was hidden then is not taken for absent.
 */
async function list(client: ConsulClient, prefix: string, signal: AbortSignal): Promise<readonly Entry[]> {
  signal.throwIfAborted();
  await proveRight(client, prefix, signal);
  const operation = { verb: 'get-tree', key: client.prefix + prefix } as const;
  const answer = await client.read(`list "${prefix}"`, [operation], 'consistent', signal);
  if (!('pairs' in answer)) throw refusedAt(client, prefix, answer.refusals[0]?.What ?? '');
  if (answer.pairs.length === 0) await proveRight(client, prefix, signal);
  return answer.pairs
    .filter(({ Key }) => Key.length > client.prefix.length)
    .flatMap((pair) => toEntry(client.prefix, pair) ?? [])
    .sort((one, other) => (one.key < other.key ? -1 : 1));
}

/**
 * Checks the index of a key that never exists: refused for that reason, when the token may read what begins so, and for
 * want of rights otherwise.
 */
async function proveRight(client: ConsulClient, prefix: string, signal: AbortSignal): Promise<void> {
  const operation = { verb: 'check-index', key: `${client.prefix}${prefix}\u0001`, index: 1 } as const;
  const answer = await client.read(`list "${prefix}"`, [operation], 'consistent', signal);
  if ('refusals' in answer && !isDenied(answer.refusals)) return;
  throw refusedAt(client, prefix, 'refusals' in answer ? (answer.refusals[0]?.What ?? '') : 'nothing of a missing key');
}

function refusedAt(client: ConsulClient, prefix: string, said: string): HsdoError {
  return lacksRight(`Cannot list "${prefix}": Consul said ${JSON.stringify(said)}`, client.prefix);
}
