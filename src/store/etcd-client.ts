import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { HsdoError, hasCode } from '../model/error.ts';
import { withDeadline } from '../time/deadline.ts';
import { allFailed, askInTurn, blaming, type Endpoint, type Endpoints, inContext, reasonOf } from './endpoints.ts';
import { type Progress, postTo, type Question, readWhole } from './etcd-exchange.ts';
import { failureOf, refusalIn } from './etcd-failure.ts';
import { createEtcdLogin, type EtcdAccess, type EtcdLogin, nameOf } from './etcd-login.ts';

/** A number of etcd: 64 bits, as text in JSON, and left out where it is 0. */
export const numberSchema = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(BigInt)
  .default(0n);

const headerSchema = z.object({ cluster_id: z.string(), revision: numberSchema });

/** What every answer about keys begins with. */
export type Headed<T> = T & { readonly header: { readonly revision: bigint } };

/** What became of a write that was sent: its answer, or a failure that leaves open whether it was done. */
export type Sent<T> = { readonly answer: Headed<T> } | { readonly doubt: HsdoError };

/** Calls of etcd's JSON gateway (etcd.io, gRPC gateway), with login, time limits and endpoints in turn. */
export interface EtcdClient {
  readonly prefix: string;
  /**
   * Asks what changes nothing, at every endpoint in turn. An answer older than what was heard before the call is none.
   *
   * @throws HsdoError `unavailable` or `rejected`
   */
  ask<S extends z.ZodType>(
    action: string,
    question: Question,
    schema: S,
    signal: AbortSignal,
  ): Promise<Headed<z.output<S>>>;
  /** Sends a write once; goes on to the next endpoint only while it surely was not done. */
  send<S extends z.ZodType>(
    action: string,
    question: Question,
    schema: S,
    signal: AbortSignal,
  ): Promise<Sent<z.output<S>>>;
  /** Begins an answer that does not end by itself, at the endpoint that answered last. */
  open(
    action: string,
    question: Question,
    signal: AbortSignal,
  ): Promise<{ readonly message: IncomingMessage; readonly endpoint: Endpoint }>;
  /** The highest revision that was heard of; undefined before the first answer. */
  revision(): bigint | undefined;
  close(): void;
}

interface State {
  readonly endpoints: Endpoints;
  readonly access: EtcdAccess;
  readonly login: EtcdLogin;
  cluster: string | undefined;
  revision: bigint | undefined;
}

export function createEtcdClient(endpoints: Endpoints, access: EtcdAccess): EtcdClient {
  const state: State = {
    endpoints,
    access,
    login: createEtcdLogin(endpoints, access),
    cluster: undefined,
    revision: undefined,
  };
  return {
    prefix: access.prefix,
    ask: (action, question, schema, signal) =>
      askInTurn(endpoints, action, signal, async (endpoint) => {
        const floor = question.mayLag === true ? undefined : state.revision;
        const found = await answerOf(state, endpoint, question, { mayBeDone: false }, signal);
        return accept(state, endpoint, parse(endpoint, found, schema), floor);
      }),
    send: (action, question, schema, signal) => send(state, action, question, schema, signal),
    async open(action, question, signal) {
      const [endpoint] = endpoints.inTurn() as [Endpoint];
      try {
        const message = await begin(state, endpoint, question, { mayBeDone: false }, signal);
        return { message, endpoint };
      } catch (error) {
        signal.throwIfAborted();
        throw inContext(action, failureAt(endpoint, error));
      }
    },
    revision: () => state.revision,
    close: () => endpoints.close(),
  };
}

async function send<S extends z.ZodType>(
  state: State,
  action: string,
  question: Question,
  schema: S,
  signal: AbortSignal,
): Promise<Sent<z.output<S>>> {
  const failures: HsdoError[] = [];
  for (const endpoint of state.endpoints.inTurn()) {
    const progress: Progress = { mayBeDone: false };
    try {
      const found = await blaming(state.endpoints, endpoint, signal, () =>
        answerOf(state, endpoint, question, progress, signal),
      );
      const answer = accept(state, endpoint, parse(endpoint, found, schema), undefined);
      state.endpoints.prefer(endpoint);
      return { answer };
    } catch (error) {
      signal.throwIfAborted();
      const failure = failureAt(endpoint, error);
      if (progress.mayBeDone) {
        state.endpoints.avoid(endpoint);
        return { doubt: failure };
      }
      if (failure.code !== 'unavailable') throw inContext(action, failure);
      failures.push(failure);
    }
  }
  throw allFailed(action, failures);
}

/** One question to one endpoint, within its deadline, with a new token where the old one is refused. */
async function answerOf(
  state: State,
  endpoint: Endpoint,
  question: Question,
  progress: Progress,
  signal: AbortSignal,
): Promise<unknown> {
  const { requestTimeoutMs } = state.access;
  try {
    return await withDeadline(nameOf(endpoint), requestTimeoutMs, signal, async (inner) => {
      const { text } = await readWhole(await begin(state, endpoint, question, progress, inner));
      return JSON.parse(text) as unknown;
    });
  } catch (error) {
    signal.throwIfAborted();
    throw failureAt(endpoint, error);
  }
}

async function begin(
  state: State,
  endpoint: Endpoint,
  question: Question,
  progress: Progress,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  for (let tries = 1; ; tries++) {
    const token = await state.login.token(endpoint, signal);
    const message = await postTo(state.endpoints, endpoint, { ...question, token }, progress, signal);
    if (message.statusCode === 200) return message;
    const refusal = refusalIn(await readWhole(message));
    if (refusal.isSurelyNotDone) progress.mayBeDone = false;
    if (refusal.isAboutToken && tries === 1 && state.login.forget(token)) continue;
    throw failureOf(refusal, { ...state.access, origin: endpoint.origin });
  }
}

function parse<S extends z.ZodType>(endpoint: Endpoint, found: unknown, schema: S): Headed<z.output<S>> & Header {
  const head = z.object({ header: headerSchema }).safeParse(found);
  const body = schema.safeParse(found);
  if (head.success && body.success) return { ...(body.data as object), ...head.data } as Headed<z.output<S>> & Header;
  throw new HsdoError('unavailable', `${nameOf(endpoint)} gave an answer that etcd does not give`);
}

interface Header {
  readonly header: { readonly cluster_id: string; readonly revision: bigint };
}

/** Takes note of an answer, unless it comes from another cluster or from before what was seen. */
function accept<T extends Header>(state: State, endpoint: Endpoint, answer: T, floor: bigint | undefined): T {
  const { cluster_id, revision } = answer.header;
  state.cluster ??= cluster_id;
  if (cluster_id !== state.cluster) {
    const message = `${nameOf(endpoint)} belongs to the cluster ${cluster_id}, expected ${state.cluster} as before; all endpoints must be of one cluster`;
    throw new HsdoError('unavailable', message);
  }
  if (floor !== undefined && revision < floor) {
    const message = `${nameOf(endpoint)} answers from revision ${revision}, but ${floor} was seen already; after a backup was restored hsdo must be started anew`;
    throw new HsdoError('unavailable', message);
  }
  if (state.revision === undefined || revision > state.revision) state.revision = revision;
  return answer;
}

/** The failure of an endpoint in words that name it. */
export function failureAt(endpoint: Endpoint, error: unknown): HsdoError {
  if (error instanceof HsdoError) return error;
  const message = `${nameOf(endpoint)} cannot be asked: ${reasonOf(error)}`;
  return new HsdoError('unavailable', message, { cause: error });
}

/** True for a read of a revision that etcd has compacted away. */
export const isAboutCompaction = (error: unknown): boolean =>
  hasCode(error, 'unavailable') && error.message.includes('has been compacted');
