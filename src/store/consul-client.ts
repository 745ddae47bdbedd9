import { EventEmitter } from 'node:events';
import type Consul from 'consul';
import { HsdoError } from '../model/error.ts';
import { withDeadline } from '../time/deadline.ts';
import {
  answerOf,
  type ConsulAccess,
  failureOf,
  isFailure,
  type KeysAnswer,
  keysOf,
  nameOf,
  type Outcome,
  type Response,
  strange,
  type TxnAnswer,
} from './consul-answers.ts';
import { allFailed, askInTurn, blaming, type Endpoint, type Endpoints, inContext } from './endpoints.ts';

/** One step of a transaction (Consul API, Transactions). */
export interface Operation {
  readonly verb: 'set' | 'cas' | 'get' | 'get-tree' | 'check-index' | 'check-not-exists' | 'delete' | 'delete-cas';
  readonly key: string;
  /** In base64. */
  readonly value?: string;
  readonly flags?: number;
  readonly index?: number;
}

/** What became of a transaction that was sent, or a failure that leaves open whether it was done. */
export type SentTxn = TxnAnswer | { readonly doubt: HsdoError };

export interface ConsulClient {
  readonly prefix: string;
  /** Runs a transaction that only reads, at every agent in turn. */
  read(
    action: string,
    operations: readonly Operation[],
    how: 'consistent' | 'stale',
    signal: AbortSignal,
  ): Promise<TxnAnswer>;
  /** Sends a transaction that writes once; goes on to the next agent only while it surely was not done. */
  write(action: string, operations: readonly Operation[], signal: AbortSignal): Promise<SentTxn>;
  /** Names of keys under a prefix, at once, or when the index has moved on from `index` or `waitMs` have passed. */
  keys(
    prefix: string,
    blocking: { readonly index: string; readonly waitMs: number } | undefined,
    signal: AbortSignal,
  ): Promise<KeysAnswer>;
  close(): void;
}

type Call = (consul: Consul, options: object) => Promise<unknown>;

/** Asks Consul by the package `consul`, which is loaded by those alone who need it. */
export async function createConsulClient(endpoints: Endpoints, access: ConsulAccess): Promise<ConsulClient> {
  const { default: Client } = await import('consul');
  const { agent } = endpoints;
  const clients = new Map(
    endpoints.inTurn().map(({ origin }) => [origin, new Client({ baseUrl: `${origin}/v1`, agent } as object)]),
  );
  const ask = (endpoint: Endpoint, call: Call, signal: AbortSignal, waitMs = 0) => {
    const consul = clients.get(endpoint.origin);
    if (!consul) throw new Error(`no client for ${endpoint.origin}`);
    return askOne(access, endpoint, (options) => call(consul, options), access.requestTimeoutMs + waitMs, signal);
  };
  const txn =
    (operations: readonly Operation[], how: object): Call =>
    (consul, options) =>
      consul.transaction.create(operations.map(toWire) as never, { ...options, ...how } as never);
  return {
    prefix: access.prefix,
    read: (action, operations, how, signal) =>
      askInTurn(endpoints, action, signal, async (endpoint) =>
        answerOf(endpoint, await ask(endpoint, txn(operations, { [how]: true }), signal)),
      ),
    async write(action, operations, signal) {
      const failures: HsdoError[] = [];
      for (const endpoint of endpoints.inTurn()) {
        const outcome = await blaming(endpoints, endpoint, signal, () => ask(endpoint, txn(operations, {}), signal));
        if (!isFailure(outcome) || outcome.response?.statusCode === 409) {
          endpoints.prefer(endpoint);
          return parseOrDoubt(endpoint, outcome);
        }
        if (!outcome.isSurelyNotDone) {
          endpoints.avoid(endpoint);
          return { doubt: outcome.error };
        }
        if (outcome.error.code !== 'unavailable') throw inContext(action, outcome.error);
        failures.push(outcome.error);
      }
      throw allFailed(action, failures);
    },
    keys: (prefix, blocking, signal) =>
      askInTurn(endpoints, 'watch for changes', signal, async (endpoint) => {
        const waitMs = blocking?.waitMs ?? 0;
        const how = blocking === undefined ? {} : { index: blocking.index, wait: `${waitMs}ms` };
        const call: Call = (consul, options) =>
          consul.kv.keys({ ...options, ...how, key: access.prefix + prefix } as never);
        // Consul adds up to a sixteenth to the time that it waits.
        return keysOf(endpoint, await ask(endpoint, call, signal, waitMs + waitMs / 16));
      }),
    close: () => endpoints.close(),
  };
}

const toWire = ({ verb, key, value, flags, index }: Operation) => ({
  KV: {
    Verb: verb,
    Key: key,
    ...(value === undefined ? {} : { Value: value }),
    ...(flags === undefined ? {} : { Flags: flags }),
    ...(index === undefined ? {} : { Index: index }),
  },
});

/** One call within its deadline. The package knows no signals, so its own way of cancelling is used. */
async function askOne(
  access: ConsulAccess,
  endpoint: Endpoint,
  call: (options: object) => Promise<unknown>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Outcome> {
  signal.throwIfAborted();
  const context = Object.assign(new EventEmitter(), { includeResponse: true });
  const token = access.token?.reveal();
  const options = {
    ...(token === undefined ? {} : { token }),
    ...(access.datacenter === undefined ? {} : { dc: access.datacenter }),
    ctx: context,
  };
  try {
    const [response, body] = (await withDeadline(nameOf(endpoint), timeoutMs, signal, (inner) => {
      inner.addEventListener('abort', () => context.emit('cancel'), { once: true });
      return call(options);
    })) as [Response, unknown];
    return { response, body };
  } catch (error) {
    signal.throwIfAborted();
    return failureOf(access, endpoint, error);
  }
}

function parseOrDoubt(endpoint: Endpoint, outcome: Outcome): SentTxn {
  try {
    return answerOf(endpoint, outcome);
  } catch (error) {
    return { doubt: error instanceof HsdoError ? error : strange(endpoint) };
  }
}
