import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import type { Endpoint } from './endpoints.ts';
import { type EtcdClient, failureAt, numberSchema } from './etcd-client.ts';
import { readLines } from './etcd-exchange.ts';
import { failureOf, parseRefusal } from './etcd-failure.ts';
import type { EtcdAccess } from './etcd-login.ts';
import { markKey, rangeSchema, wireKey, wireRange } from './etcd-wire.ts';

const path = '/v3/watch';

const eventSchema = z.object({ kv: z.object({ key: z.base64(), mod_revision: numberSchema }) });
const resultSchema = z.object({
  created: z.boolean().default(false),
  canceled: z.boolean().default(false),
  cancel_reason: z.string().default(''),
  compact_revision: numberSchema,
  events: z.array(eventSchema).default([]),
});
const lineSchema = z.union([z.object({ result: resultSchema }), z.object({ error: z.unknown() })]);

/**
 * Waits for changes under a prefix on streams of `/v3/watch` (etcd API, Watch). A stream is believed for a while only:
 * one that is still connected and hears nothing any more, because its member was paused or cut off, says nothing about
 * that. So each lives for `lifeMs` and the next begins with a read that a majority of the members has to confirm, at an
 * endpoint that answers it, and at the revision where the last one stopped, so that nothing in between is missed.
 */
export function createEtcdWatch(client: EtcdClient, access: EtcdAccess, clock: Clock, lifeMs: number) {
  const positions = new Map<string, bigint>();

  async function begin(prefix: string, signal: AbortSignal): Promise<bigint> {
    // What was heard before comes first: between that and this read something may have changed.
    const heard = client.revision();
    const body = { key: wireKey(client.prefix, markKey), keys_only: true };
    const { header } = await client.ask('watch for changes', { path: '/v3/kv/range', body }, rangeSchema, signal);
    return positions.get(prefix) ?? (heard ?? header.revision) + 1n;
  }

  return async function changed(prefix: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const from = await begin(prefix, signal);
      positions.set(prefix, from);
      const next = await watchOnce({ client, access, clock, lifeMs }, { prefix, from }, signal);
      if (next === undefined) continue;
      positions.set(prefix, next);
      return;
    }
  };
}

interface Watching {
  readonly client: EtcdClient;
  readonly access: EtcdAccess;
  readonly clock: Clock;
  readonly lifeMs: number;
}

/** The life of one stream: resolves with the revision to go on from after a change, or undefined when nothing came. */
async function watchOnce(
  { client, access, clock, lifeMs }: Watching,
  { prefix, from }: { readonly prefix: string; readonly from: bigint },
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const own = new AbortController();
  const stop = () => own.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const create_request = { ...wireRange(client.prefix, prefix), start_revision: String(from) };
  let isOver = false;
  const life = clock.sleep(lifeMs, own.signal).then(
    () => {
      isOver = true;
      own.abort(new Error('the life of the watch is over'));
    },
    () => {},
  );
  let endpoint: Endpoint | undefined;
  try {
    const opened = await withDeadline('The watch', access.requestTimeoutMs, own.signal, () =>
      client.open('watch for changes', { path, body: { create_request } }, own.signal),
    );
    endpoint = opened.endpoint;
    return await firstChange(opened.message, { prefix: client.prefix, from, access, endpoint });
  } catch (error) {
    signal.throwIfAborted();
    if (isOver) return undefined;
    throw endpoint ? failureAt(endpoint, error) : error;
  } finally {
    signal.removeEventListener('abort', stop);
    own.abort(new Error('the watch has ended'));
    await life;
  }
}

async function firstChange(
  message: IncomingMessage,
  at: { readonly prefix: string; readonly from: bigint; readonly access: EtcdAccess; readonly endpoint: Endpoint },
): Promise<bigint> {
  const mark = wireKey(at.prefix, markKey);
  for await (const line of readLines(message)) {
    const parsed = lineSchema.parse(JSON.parse(line));
    if ('error' in parsed) throw refused(parseRefusal(200, parsed.error), at);
    const { canceled, cancel_reason, compact_revision, events } = parsed.result;
    // What came between is gone from etcd's memory, so it is unknown whether anything changed: that is a change.
    if (canceled && compact_revision > 0n) return compact_revision > at.from ? compact_revision : at.from + 1n;
    if (canceled) throw refused(parseRefusal(200, { message: cancel_reason, code: codeOf(cancel_reason) }), at);
    const last = events.filter(({ kv }) => kv.key !== mark).at(-1);
    if (last) return last.kv.mod_revision + 1n;
  }
  throw new HsdoError('unavailable', `etcd at "${at.endpoint.origin}" ended the watch`);
}

/** A watch that is cancelled says why in words alone. */
const codeOf = (reason: string) => (reason.includes('permission denied') ? 7 : 14);

function refused(
  refusal: ReturnType<typeof parseRefusal>,
  { access, endpoint }: { readonly access: EtcdAccess; readonly endpoint: Endpoint },
): HsdoError {
  return failureOf(refusal, { ...access, origin: endpoint.origin });
}
