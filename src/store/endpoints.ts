import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';
import { z } from 'zod';
import { describeError, HsdoError, hasCode } from '../model/error.ts';

const wanted = 'expected host:port, http://host:port or https://host:port';
const endpointPattern = /^(https?:\/\/)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/?$/;

function isEndpoint(text: string): boolean {
  const found = endpointPattern.exec(text);
  if (!found) return false;
  const [, scheme, , port] = found;
  if (scheme === undefined && port === undefined) return false;
  return port === undefined || (Number(port.slice(1)) >= 1 && Number(port.slice(1)) <= 65_535);
}

const endpointSchema = z.string().trim().refine(isEndpoint, wanted);

/** A list, or one text with commas as dhaf has it: `ip1:port1,ip2:port2`. Without scheme it is https where `tls` is set. */
export const endpointsSchema = z
  .union([z.string().transform((text) => text.split(',')), z.array(z.string())], {
    error: `${wanted}, or a list of these`,
  })
  .pipe(z.array(endpointSchema).min(1));

/** Files in PEM form, and the name that the certificate of every endpoint must bear. */
export const tlsSchema = z
  .strictObject({
    ca: z.string().min(1).optional(),
    cert: z.string().min(1).optional(),
    key: z.string().min(1).optional(),
    serverName: z
      .string()
      .regex(/^[A-Za-z0-9._-]+$/, 'expected a host name')
      .optional(),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    message: 'cert and key belong together: expected both or neither',
  });
export type TlsConfig = z.infer<typeof tlsSchema>;

/** True when `tls` is set and an endpoint says http:// all the same. */
export function contradictsTls(endpoints: readonly string[] | undefined, tls: TlsConfig | undefined): boolean {
  return tls !== undefined && (endpoints ?? []).some((text) => /^http:/i.test(text));
}

/** Where all entries of one cluster lie; what ends in a slash cannot be the beginning of another's. */
export const prefixSchema = z
  .string()
  .regex(/^[\x21-\x7e]{0,127}[\x21-\x2e\x30-\x7e]\/$/, 'expected 2 to 129 characters that end in one slash')
  .refine((text) => !text.startsWith('/'), 'expected no slash at the beginning');

/** One member of a cluster that answers for all of it. */
export interface Endpoint {
  /** `http://host:port`, also what messages say. */
  readonly origin: string;
  readonly url: URL;
}

/** The endpoints of one cluster, in the order in which they are tried, and the connections that are kept to them. */
export interface Endpoints {
  /** All, that which answered last first. */
  inTurn(): readonly Endpoint[];
  /** From now on this one is asked first. */
  prefer(endpoint: Endpoint): void;
  /** From now on the one after this is asked first. */
  avoid(endpoint: Endpoint): void;
  readonly agent: HttpAgent | HttpsAgent;
  readonly isTls: boolean;
  close(): void;
}

/**
 * Reads the files of `tls`. Both transports are Node's own `http` and `https`: the global fetch takes no certificate of an
 * authority without a second copy of undici beside Node's.
 *
 * @throws HsdoError `config` when a file cannot be used
 */
export async function openEndpoints(
  texts: readonly string[],
  defaultPort: number,
  tls: TlsConfig | undefined,
): Promise<Endpoints> {
  const all = texts.map((text) => toEndpoint(text, defaultPort, tls !== undefined));
  const isTls = all.some(({ url }) => url.protocol === 'https:');
  if (isTls && all.some(({ url }) => url.protocol === 'http:')) {
    throw new HsdoError('config', `Cannot open the store: ${texts.join(', ')}: expected all with https or none`);
  }
  const agent = isTls ? new HttpsAgent({ keepAlive: true, ...(await load(tls)) }) : new HttpAgent({ keepAlive: true });
  let first = 0;
  return {
    inTurn: () => [...all.slice(first), ...all.slice(0, first)],
    prefer(endpoint) {
      first = Math.max(0, all.indexOf(endpoint));
    },
    avoid(endpoint) {
      if (all[first] === endpoint) first = (first + 1) % all.length;
    },
    agent,
    isTls,
    close: () => agent.destroy(),
  };
}

function toEndpoint(text: string, defaultPort: number, isTls: boolean): Endpoint {
  const url = new URL(/^https?:/i.test(text) ? text : `${isTls ? 'https' : 'http'}://${text}`);
  const [, , , port] = endpointPattern.exec(text) ?? [];
  // URL drops a port that is the scheme's own.
  const origin = `${url.protocol}//${url.hostname}${port ?? `:${defaultPort}`}`;
  return { origin, url: new URL(origin) };
}

async function load(tls: TlsConfig | undefined): Promise<AgentOptions> {
  const read = async (name: 'ca' | 'cert' | 'key') => {
    const file = tls?.[name];
    if (file === undefined) return {};
    try {
      const text = await readFile(file, 'utf8');
      if (!text.includes('-----BEGIN ')) throw new Error('it holds nothing in PEM form');
      return { [name]: text };
    } catch (error) {
      const message = `Cannot open the store: tls.${name} ${JSON.stringify(file)}: ${describeError(error)}`;
      throw new HsdoError('config', message, { cause: error });
    }
  };
  const files = await Promise.all([read('ca'), read('cert'), read('key')]);
  const { serverName } = tls ?? {};
  return Object.assign({}, ...files, serverName === undefined ? {} : { servername: serverName }) as AgentOptions;
}

/**
 * Asks one endpoint after the other until one answers, and remembers which.
 *
 * @throws HsdoError `unavailable` with what every one of them said; at once what any throws beside `unavailable`
 */
export async function askInTurn<T>(
  endpoints: Endpoints,
  action: string,
  signal: AbortSignal,
  ask: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const failures: HsdoError[] = [];
  for (const endpoint of endpoints.inTurn()) {
    try {
      const answer = await blaming(endpoints, endpoint, signal, ask);
      endpoints.prefer(endpoint);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (!hasCode(error, 'unavailable')) throw error instanceof HsdoError ? inContext(action, error) : error;
      failures.push(error);
    }
  }
  throw allFailed(action, failures);
}

/** Asks one endpoint; where the caller's own time runs out over it, the next call begins with another one. */
export async function blaming<T>(
  endpoints: Endpoints,
  endpoint: Endpoint,
  signal: AbortSignal,
  ask: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  try {
    return await ask(endpoint);
  } catch (error) {
    if (signal.aborted && hasCode(signal.reason, 'unavailable')) endpoints.avoid(endpoint);
    throw error;
  }
}

/** What Node or a library says of a failure, on one line. */
export const reasonOf = (error: unknown): string =>
  describeError(error)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();

/** A failure of one endpoint with what was to be done. */
export function inContext(action: string, error: HsdoError): HsdoError {
  return new HsdoError(error.code, `Cannot ${action}: ${error.message}`, { cause: error.cause });
}

/** The failures of all endpoints as one. */
export function allFailed(action: string, failures: readonly HsdoError[]): HsdoError {
  const reasons = failures.map((failure) => failure.message).join('; ');
  return new HsdoError('unavailable', `Cannot ${action}: ${reasons}`, { cause: failures.at(-1)?.cause });
}
