import { showFault } from '../config/fault.ts';
import { loadConfig } from '../config/load.ts';
import { describeError } from '../model/error.ts';
import { Exit, exitCodes } from './exit.ts';

/** Options of every command that asks a running hsdo. */
export interface ApiOptions {
  readonly config?: string;
  readonly api?: string;
  readonly token?: string;
}

const timeoutMs = 10_000;
const defaultListen = '127.0.0.1:8128';

/** Where the API is: `--api`, HSDO_API, the configuration's own address, or the default one. */
function locate(options: ApiOptions): { base: string; token: string | undefined } {
  const { config, faults } = loadConfig({ file: options.config, env: process.env });
  // A file that was named on purpose must not be passed over: the answer would come from somewhere else.
  if (!config && options.config !== undefined && options.api === undefined) {
    throw new Exit(exitCodes.config, faults.map(showFault).join('\n'));
  }
  const listen = config?.api.listen ?? defaultListen;
  const base =
    options.api ??
    process.env['HSDO_API'] ??
    `http://${listen.replace(/^0\.0\.0\.0/, '127.0.0.1').replace(/^\[::\]/, '[::1]')}`;
  const token = options.token ?? process.env['HSDO_API_TOKEN'] ?? config?.api.token?.reveal();
  return { base: /^https?:\/\//.test(base) ? base : `http://${base}`, token };
}

/** Asks the API and gives its answer, or ends the command with the API's own words. */
export async function askApi(
  options: ApiOptions,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { base, token } = locate(options);
  const headers: Record<string, string> = { 'x-hsdo-user': process.env['USER'] ?? 'cli' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (method !== 'GET') headers['content-type'] = 'application/json';
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(timeoutMs) };
  if (body !== undefined) init.body = JSON.stringify(body);
  const answer = await fetch(new URL(path, base), init).catch((error: unknown) => {
    throw new Exit(
      exitCodes.failed,
      `Cannot ask hsdo at ${base}: ${describeError(error)}. Is hsdo --server running, and is this its API (--api, HSDO_API)?`,
    );
  });
  const content: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return content;
  const said = (content as { error?: unknown } | undefined)?.error;
  throw new Exit(
    exitCodes.failed,
    `${base} refuses (${answer.status}): ${typeof said === 'string' ? said : answer.statusText}`,
  );
}
