import { showFault } from '../config/fault.ts';
import { loadConfig } from '../config/load.ts';
import { jsonIn } from '../http/http-call.ts';
import { describeError } from '../model/error.ts';
import { exchange, type Trust } from './exchange.ts';
import { Exit, exitCodes } from './exit.ts';

/** Options of every command that asks a running hsdo. */
export interface ApiOptions extends Trust {
  readonly config?: string;
  readonly api?: string;
  readonly token?: string;
  /** How long an answer may take, where ten seconds are too long. */
  readonly timeoutMs?: number;
}

const usualTimeoutMs = 10_000;
const defaultListen = '127.0.0.1:8128';

/** A variable of the environment; an empty one is not set. */
const variable = (name: string) => process.env[name] || undefined;

/** Where the API is: `--api`, HSDO_API, the configuration's own address, or the default one. */
function locate(options: ApiOptions): { base: string; token: string | undefined; trust: Trust } {
  const { config, faults } = loadConfig({ file: options.config, env: process.env });
  // A file that was named on purpose must not be passed over: the answer would come from somewhere else.
  if (!config && options.config !== undefined && options.api === undefined) {
    throw new Exit(exitCodes.config, faults.map(showFault).join('\n'));
  }
  const listen = config?.api.listen ?? defaultListen;
  const own = `${config?.api.tls ? 'https' : 'http'}://${listen.replace(/^0\.0\.0\.0/, '127.0.0.1').replace(/^\[::\]/, '[::1]')}`;
  const base = named('--api', options.api) ?? named('HSDO_API', variable('HSDO_API')) ?? own;
  // Whoever reads the configuration has its tokens. One that merely lay here is not for whoever else is asked.
  const isForBase = base === own || options.config !== undefined;
  const ownToken = config?.api.token ?? config?.api.tokens.find(({ role }) => role === 'operate')?.token;
  const trust = {
    ca: options.ca ?? variable('HSDO_API_CA'),
    cert: options.cert ?? variable('HSDO_API_CERT'),
    key: options.key ?? variable('HSDO_API_KEY'),
  };
  return {
    base,
    token: options.token ?? variable('HSDO_API_TOKEN') ?? (isForBase ? ownToken?.reveal() : undefined),
    trust,
  };
}

/** An address as somebody typed it, with or without `http://`; behind a proxy it may have a path, below which the API lies. */
function named(where: string, address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const base = /^https?:\/\//.test(address) ? address : `http://${address}`;
  if (URL.canParse(base) && !/[?#]/.test(base)) return base.replace(/\/+$/, '');
  const expected = `expected an address such as http://${defaultListen}`;
  throw new Exit(exitCodes.usage, `error: ${where} is ${JSON.stringify(address)}, ${expected}`);
}

/** Who asks, in the letters that a header may have (RFC 9110 section 5.5). */
const user = () => (variable('USER') ?? 'cli').replaceAll(/[^ -~\u00a0-\u00ff]/g, '?');

/** Asks the API and gives its answer, or ends the command with the API's own words. */
export async function askApi(
  options: ApiOptions,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { base, token, trust } = locate(options);
  const headers: Record<string, string> = { 'x-hsdo-user': user() };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (method !== 'GET') headers['content-type'] = 'application/json';
  const answer = await exchange(new URL(`${base}${path}`), {
    ...trust,
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(options.timeoutMs ?? usualTimeoutMs),
  }).catch((error: unknown) => {
    if (error instanceof Exit) throw error;
    throw new Exit(
      exitCodes.failed,
      `Cannot ask hsdo at ${base}: ${describeError(error)}. Is hsdo --server running, and is this its API (--api, HSDO_API)?`,
    );
  });
  return contentOf(base, answer);
}

/** What an answer of the API says; ends the command where it is a refusal, or no answer of hsdo's. */
function contentOf(base: string, { status, text }: { readonly status: number; readonly text: string }): unknown {
  const content = jsonIn(text);
  const begins = text
    .slice(0, 200)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  if (status < 200 || status >= 300) {
    const said = (content as { error?: unknown } | null | undefined)?.error;
    throw new Exit(exitCodes.failed, `${base} refuses (${status}): ${typeof said === 'string' ? said : begins}`);
  }
  if (typeof content === 'object' && content !== null) return content;
  const found = `expected JSON, not ${JSON.stringify(begins)}`;
  throw new Exit(exitCodes.failed, `${base} is not the API of hsdo: ${found}`);
}

/** The address of something of a service. */
export const serviceAddress = (service: string, ...rest: readonly string[]) =>
  ['/api/v1/services', encodeURIComponent(service), ...rest.map(encodeURIComponent)].join('/');

/** The address of a list, with what is asked of it. */
export function listAddress(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) asked.set(name, String(value));
  return asked.size === 0 ? path : `${path}?${asked.toString()}`;
}
