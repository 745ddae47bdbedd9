import { EventEmitter } from 'node:events';
import Consul from 'consul';
import { describeError, HsdoError } from '../model/error.ts';
import type { Secret } from '../model/secret.ts';
import { isRecord } from './entry.ts';
import { printable, showValue } from './show.ts';

export interface ConsulAnswer {
  readonly instances: readonly unknown[];
  /** X-Consul-Index, only to be compared; undefined where Consul gave none that can be waited on. */
  readonly index: string | undefined;
  /**
   * False for the answer of an agent that streams (Consul 1.10 and later, blocking queries only): it stands for a change
   * but does not say whether an ACL took instances out of it.
   */
  readonly isProven: boolean;
}

/** Where Consul is, and what narrows the question down. */
export interface ConsulPlace {
  readonly url: string;
  readonly token?: Secret | undefined;
  readonly datacenter?: string | undefined;
  readonly namespace?: string | undefined;
  readonly tags: readonly string[];
  readonly filter?: string | undefined;
  readonly waitSeconds: number;
}

/** What hsdo asks of Consul. */
export interface ConsulReads {
  /** Passing instances of a service, at once, or when the index has moved on from `index` (a blocking query). */
  instances(service: string, signal: AbortSignal, index?: string): Promise<ConsulAnswer>;
  /**
   * Resolves when the token may read the service and every node, so that an empty answer means empty.
   *
   * @throws HsdoError `rejected` when it may not, `unavailable` when nobody can tell.
   */
  mayRead(service: string, signal: AbortSignal): Promise<void>;
}

const requestTimeoutMs = 10_000;
/** The right to read, in words for people. */
const wantedRight = (service: string) =>
  `the token needs service:read for ${showValue(service)} and node:read for all nodes`;

interface Response {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export function createConsulReads(config: ConsulPlace): ConsulReads {
  const baseUrl = `${config.url.replace(/\/+$/, '')}/v1`;
  const token = config.token?.reveal();
  const common = { ...(token === undefined ? {} : { token }), ...(config.datacenter ? { dc: config.datacenter } : {}) };
  const headers = config.namespace === undefined ? {} : { 'x-consul-namespace': config.namespace };
  // The package's types leave out what its transport takes.
  const inNamespace = new Consul({ baseUrl, headers } as object);
  const anywhere = new Consul({ baseUrl } as object);

  async function ask(
    consul: Consul,
    query: { readonly service: string } & Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ConsulAnswer> {
    signal.throwIfAborted();
    const context = Object.assign(new EventEmitter(), { includeResponse: true });
    const cancel = () => context.emit('cancel');
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const options = { timeout: requestTimeoutMs, ...common, ...query, ctx: context };
      const [response, body] = (await consul.health.service(options)) as unknown as [Response, unknown];
      return parseAnswer(query.service, response, body);
    } catch (error) {
      signal.throwIfAborted();
      throw toHsdoError(error, query.service, config.url);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  return {
    instances(service, signal, index) {
      const waitMs = config.waitSeconds * 1000;
      const blocking =
        index === undefined ? {} : { index, wait: `${waitMs}ms`, timeout: waitMs + waitMs / 16 + requestTimeoutMs };
      const filter = config.filter === undefined ? {} : { filter: config.filter };
      const tag = config.tags.length === 0 ? {} : { tag: config.tags };
      return ask(inNamespace, { service, passing: true, ...tag, ...filter, ...blocking }, signal);
    },
    async mayRead(service, signal) {
      const verdict = await authorize(baseUrl, service, { ...common, headers }, signal);
      if (verdict === 'allowed') return;
      if (verdict === 'denied') throw rejected(service, config.url, 'an ACL hides what the token may not read');
      // This agent knows no ACLs, but its servers may. They list themselves as service consul, for who may see it.
      const { instances } = await ask(anywhere, { service: 'consul' }, signal);
      if (instances.length === 0) throw rejected(service, config.url, 'the catalog shows not even Consul itself');
    },
  };
}

function parseAnswer(service: string, response: Response, body: unknown): ConsulAnswer {
  if (response.headers['x-consul-knownleader'] === 'false') throw new Error('the cluster has no leader');
  // Consul 1.11 and later say so; older ones do not, which is why an empty answer needs `mayRead`.
  if (response.headers['x-consul-results-filtered-by-acls'] === 'true') {
    throw new HsdoError('rejected', `an ACL hides some instances of ${showValue(service)}: ${wantedRight(service)}`);
  }
  if (!Array.isArray(body)) throw new Error('the answer is no list of instances');
  const index = response.headers['x-consul-index'];
  return {
    instances: body,
    index: index !== undefined && /^[1-9]\d{0,19}$/.test(index) ? index : undefined,
    isProven: response.headers['x-consul-query-backend'] !== 'streaming',
  };
}

function rejected(service: string, url: string, reason: string, cause?: unknown): HsdoError {
  const message = `Cannot read service ${showValue(service)} of Consul at ${showValue(url)}: ${reason}; ${wantedRight(service)}`;
  return new HsdoError('rejected', message, cause === undefined ? {} : { cause });
}

function toHsdoError(failure: unknown, service: string, url: string): HsdoError {
  const response = isRecord(failure)
    ? (failure['response'] as (Response & { readonly body?: unknown }) | undefined)
    : undefined;
  // The response holds the request, and that the token.
  const error = response === undefined ? failure : new Error(describeError(failure));
  const status = response?.statusCode;
  const body = Buffer.isBuffer(response?.body) ? response.body.toString('utf8') : response?.body;
  const said = typeof body === 'string' ? `, ${printable(body.trim())}` : '';
  if (status === 401 || status === 403) return rejected(service, url, `Consul said ${status}${said}`, error);
  const action = `Cannot read service ${showValue(service)} of Consul at ${showValue(url)}`;
  if (error instanceof HsdoError) return new HsdoError(error.code, action, { cause: error });
  if (status === 400) return new HsdoError('rejected', `${action}: Consul said 400${said}`, { cause: error });
  const message = status === undefined ? action : `${action}: Consul said ${status}${said}`;
  return new HsdoError('unavailable', message, { cause: error });
}

/**
 * Asks whether the token may read a service and all nodes. Consul empties the list without a word otherwise, for a
 * missing right on either. The endpoint serves Consul's own user interface since 1.7 and answers 401 where ACLs are off.
 */
async function authorize(
  baseUrl: string,
  service: string,
  how: { readonly token?: string; readonly dc?: string; readonly headers: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<'allowed' | 'denied' | 'no ACLs'> {
  const url = new URL(`${baseUrl}/internal/acl/authorize`);
  if (how.dc) url.searchParams.set('dc', how.dc);
  const action = `Cannot tell whether Consul at "${url.origin}" hides instances of ${showValue(service)}`;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...how.headers, ...(how.token === undefined ? {} : { 'x-consul-token': how.token }) },
      body: JSON.stringify([
        { Resource: 'service', Access: 'read', Segment: service },
        { Resource: 'node', Access: 'read', Segment: '' },
      ]),
      signal,
    });
    const text = await response.text();
    if (response.status === 401 && text.includes('ACL support disabled')) return 'no ACLs';
    if (response.status === 403) return 'denied';
    if (!response.ok) throw new Error(`Consul said ${response.status}, ${printable(text.trim())}`);
    const rights: unknown = JSON.parse(text);
    if (!Array.isArray(rights) || rights.length !== 2) throw new Error('the answer is no list of two rights');
    return rights.every((right) => isRecord(right) && right['Allow'] === true) ? 'allowed' : 'denied';
  } catch (error) {
    signal.throwIfAborted();
    throw new HsdoError('unavailable', action, { cause: error });
  }
}
