import { showFault } from '../config/fault.ts';
import { loadConfig } from '../config/load.ts';
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

/** Where the API is: `--api`, HSDO_API, the configuration's own address, or the default one. */
function locate(options: ApiOptions): { base: string; token: string | undefined; trust: Trust } {
  const { config, faults } = loadConfig({ file: options.config, env: process.env });
  // A file that was named on purpose must not be passed over: the answer would come from somewhere else.
  if (!config && options.config !== undefined && options.api === undefined) {
    throw new Exit(exitCodes.config, faults.map(showFault).join('\n'));
  }
  const listen = config?.api.listen ?? defaultListen;
  const base =
    options.api ??
    process.env['HSDO_API'] ??
    `${config?.api.tls ? 'https' : 'http'}://${listen.replace(/^0\.0\.0\.0/, '127.0.0.1').replace(/^\[::\]/, '[::1]')}`;
  // Whoever reads the configuration has its tokens.
  const own = config?.api.token ?? config?.api.tokens.find(({ role }) => role === 'operate')?.token;
  const token = options.token ?? process.env['HSDO_API_TOKEN'] ?? own?.reveal();
  const env = (name: string) => process.env[name] || undefined;
  const trust = {
    ca: options.ca ?? env('HSDO_API_CA'),
    cert: options.cert ?? env('HSDO_API_CERT'),
    key: options.key ?? env('HSDO_API_KEY'),
  };
  return { base: /^https?:\/\//.test(base) ? base : `http://${base}`, token, trust };
}

/** Asks the API and gives its answer, or ends the command with the API's own words. */
export async function askApi(
  options: ApiOptions,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { base, token, trust } = locate(options);
  const headers: Record<string, string> = { 'x-hsdo-user': process.env['USER'] ?? 'cli' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (method !== 'GET') headers['content-type'] = 'application/json';
  const answer = await exchange(new URL(path, base), {
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
  const content = parse(answer.text);
  if (answer.status >= 200 && answer.status < 300) return content;
  const said = (content as { error?: unknown } | undefined)?.error;
  throw new Exit(
    exitCodes.failed,
    `${base} refuses (${answer.status}): ${typeof said === 'string' ? said : answer.text.slice(0, 200)}`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
