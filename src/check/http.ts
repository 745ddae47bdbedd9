import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { describeError } from '../model/error.ts';
import { failed, type Probe, passed, unasked } from '../model/probe.ts';
import { version } from '../telemetry/version.ts';
import type { CheckContext, HealthCheck } from './health-check.ts';
import { type Answer, type Ask, exchange, type Outcome } from './http-exchange.ts';
import { type Failure, printable } from './http-failure.ts';
import { createLookup } from './http-lookup.ts';
import { createRouting, type Hop } from './http-route.ts';
import { codesOf, type HttpConfig } from './http-schema.ts';

export { httpSchema } from './http-schema.ts';

const maxRedirects = 5;
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** Headers of a request: ours, those of the configuration over them where the other side is trusted, and the Host. */
function headersOf(config: HttpConfig, hop: Hop): Record<string, string> {
  const headers = new Map([
    ['user-agent', ['User-Agent', `hsdo/${version}`]],
    ['accept', ['Accept', '*/*']],
    // The expected text is looked for in what comes, so it should come as it is.
    ['accept-encoding', ['Accept-Encoding', 'identity']],
  ]);
  if (hop.method === 'POST' && config.body !== undefined)
    headers.set('content-type', ['Content-Type', 'text/plain; charset=utf-8']);
  if (hop.isTrusted)
    for (const [name, value] of Object.entries(config.headers)) headers.set(name.toLowerCase(), [name, value.reveal()]);
  headers.delete('host');
  return { Host: hop.host, ...Object.fromEntries(headers.values()) };
}

/** The body as text, in the character set that the answer names, else in UTF-8. */
function textOf({ headers, body }: Answer): string {
  const charset = /;\s*charset="?([\w.:-]+)"?/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return body.toString();
  }
}

function describeHop({ method, url, connectHost, port }: Hop): string {
  const host = isIP(connectHost) === 6 ? `[${connectHost}]` : connectHost;
  // Without the query, which may hold credentials.
  return `${method} ${url.protocol}//${printable(host)}:${port}${printable(url.pathname)}`;
}

const describeAnswer = ({ status, reason }: Answer) => (reason === '' ? `${status}` : `${status} (${reason})`);

const locationOf = (status: number, headers: IncomingHttpHeaders) =>
  redirects.includes(status) ? headers.location : undefined;

/** Judges the last answer of a check. */
function createJudge(config: HttpConfig) {
  const codes = codesOf(config.expectedCodes);
  const wanted = config.expectedBody?.toLowerCase();
  return {
    /** Whether the code passes, so that the body matters. */
    isExpected: (status: number) => codes.has(status),
    judge(what: string, answer: Answer, facts: { readonly connectMs?: number; readonly totalMs: number }): Probe {
      const answered = `${what} answered ${describeAnswer(answer)}`;
      if (!codes.has(answer.status)) return failed('status', `${answered}, expected ${config.expectedCodes}`, facts);
      if (wanted === undefined || textOf(answer).toLowerCase().includes(wanted)) return passed(answered, facts);
      const coding = answer.headers['content-encoding'];
      const encoded = coding === undefined ? '' : ` with the content coding ${printable(coding, 20)}`;
      const expected = `expected the text ${JSON.stringify(printable(config.expectedBody ?? ''))}`;
      return failed('body', `${answered} and ${answer.body.length} bytes${encoded}, ${expected}`, facts);
    },
  };
}

/**
 * The certificates to believe, read once; a file that cannot be read is tried again by the next check, and gives the
 * reason as text.
 */
function createTrust(config: HttpConfig, baseFolder: string): (signal: AbortSignal) => Promise<SecureContext | string> {
  let context: SecureContext | undefined;
  const load = async (file: string, signal: AbortSignal) => {
    const ca = await readFile(resolve(baseFolder, file), { encoding: 'utf8', signal });
    if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate in PEM form');
    return createSecureContext({ ca });
  };
  return async (signal) => {
    try {
      context ??= config.ca === undefined ? createSecureContext() : await load(config.ca, signal);
      return context;
    } catch (error) {
      signal.throwIfAborted();
      return printable(`cannot read certificates from ca ${JSON.stringify(config.ca)}: ${describeError(error)}`, 200);
    }
  };
}

/** Turns a hop into what goes over the wire, and asks. */
function createAsking(config: HttpConfig, context: CheckContext, readsBody: (status: number) => boolean) {
  const lookup = createLookup();
  const trust = createTrust(config, context.baseFolder ?? '.');
  return async (hop: Hop, signal: AbortSignal): Promise<Outcome> => {
    const { connectHost, port, method, path, serverName } = hop;
    const ask: Ask = {
      connectHost,
      port,
      method,
      path,
      headers: headersOf(config, hop),
      body: method === 'POST' ? config.body?.reveal() : undefined,
      maxBodyBytes: config.maxBodyBytes,
      readsBody: (status, headers) =>
        !(config.followRedirects && locationOf(status, headers) !== undefined) && readsBody(status),
    };
    if (hop.url.protocol === 'http:') return exchange(ask, lookup, context.clock, signal);
    const trusted = await trust(signal);
    if (typeof trusted === 'string') return { connectMs: undefined, failure: { code: 'error', reason: trusted } };
    const tls = { context: trusted, serverName, isVerified: !config.ignoreTlsErrors };
    return exchange({ ...ask, tls }, lookup, context.clock, signal);
  };
}

/** A failed exchange as a probe. */
function failedProbe(what: string, { code, reason }: Failure, facts: { connectMs?: number; totalMs: number }): Probe {
  const message = `${what} failed: ${reason}`;
  return code === 'error' ? unasked('error', `Cannot check ${message}`) : failed(code, message, facts);
}

/**
 * Asks a target over HTTP/1.1 (RFC 9110, RFC 9112), each time over a connection of its own: what is checked is whether
 * somebody new is served. The target passes when the code is expected and, where a text is, the body has it.
 * Without an expected text a body is read to its end or `maxBodyBytes`, so an answer that breaks off does not pass; of an
 * answer with another code it is not read. `connectMs` is that of the first connection, `totalMs` includes redirects.
 *
 * @throws HsdoError `config` where the service's domain is to be sent as Host and cannot be one.
 */
export function createHttpCheck(config: HttpConfig, context: CheckContext): HealthCheck {
  const routing = createRouting(config, context.domain);
  const { isExpected, judge } = createJudge(config);
  const ask = createAsking(config, context, isExpected);
  return {
    async check(target, signal) {
      signal.throwIfAborted();
      const startedAt = context.clock.monotonic();
      const first = routing.first(target);
      let hop = first;
      let connectMs: number | undefined;
      for (let followed = 0; ; followed += 1) {
        const outcome = await ask(hop, signal);
        connectMs ??= outcome.connectMs;
        const totalMs = context.clock.monotonic() - startedAt;
        const facts = connectMs === undefined ? { totalMs } : { connectMs, totalMs };
        const what = describeHop(hop);
        if ('failure' in outcome) return failedProbe(what, outcome.failure, facts);
        const { answer } = outcome;
        const location = config.followRedirects ? locationOf(answer.status, answer.headers) : undefined;
        if (location === undefined) return judge(what, answer, facts);
        const answered = `${what} answered ${describeAnswer(answer)}`;
        if (followed === maxRedirects)
          return failed('redirect', `${answered}, expected at most ${maxRedirects} redirects`, facts);
        const next = routing.next(first, hop, answer.status, location);
        if ('refusal' in next)
          return failed('redirect', `${answered}, a redirect ${printable(next.refusal)} is not followed`, facts);
        hop = next.hop;
      }
    },
  };
}
