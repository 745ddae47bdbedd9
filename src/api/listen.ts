import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { describeError } from '../model/error.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';
import { readTls, type TlsFiles, type TlsOptions, watchTls } from './certificate.ts';

const retryMs = 5000;
const limits = { requestTimeout: 10_000, headersTimeout: 5000 };

/** Host and port out of `host:port` or `[IPv6]:port`. */
function parseListen(listen: string): { readonly host: string; readonly port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}

export interface ServeOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly onListening?: (port: number) => void;
  /** Without it, plain HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** With `tls.ca`: who shows no certificate of it gets as far as the app, which has to look for itself. */
  readonly letsStrangersIn?: boolean;
}

/**
 * Serves an app until the signal is aborted. An address that is taken, or a certificate that cannot be used, is said and
 * tried again: a process that keeps a service reachable does not end because somebody else has its port.
 */
export async function serve(
  what: string,
  app: Pick<Hono, 'fetch'>,
  listen: string,
  { clock, log, onListening, tls, letsStrangersIn = false }: ServeOptions,
  signal: AbortSignal,
): Promise<void> {
  const streak = createStreak(log, `listening for ${what}`, { listen });
  while (!signal.aborted) {
    let server: Server | TlsServer | undefined;
    try {
      const secure = tls && (await readTls(tls));
      server = secure
        ? createTlsServer({
            ...limits,
            ...secure,
            ...(letsStrangersIn ? { rejectUnauthorized: false } : {}),
            handshakeTimeout: limits.headersTimeout,
          })
        : createServer(limits);
      const port = await open(server, app, listen);
      streak.worked();
      log.info({ listen, port }, `${what} listens`);
      onListening?.(port);
      if (tls && secure && 'setSecureContext' in server) {
        await Promise.all([closedBy(server, signal), renew(what, server, tls, secure, { clock, log }, signal)]);
      } else await closedBy(server, signal);
      return;
    } catch (error) {
      server?.close();
      streak.failed(describeError(error));
      await pause(clock, retryMs, undefined, signal);
    }
  }
}

/** Resolves with the port that it listens on. */
function open(server: Server | TlsServer, app: Pick<Hono, 'fetch'>, listen: string): Promise<number> {
  const { host, port } = parseListen(listen);
  const answer = getRequestListener(app.fetch);
  server.on('request', (request, response) => void answer(request, response));
  server.maxConnections = 500;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function renew(
  what: string,
  server: TlsServer,
  files: TlsFiles,
  first: TlsOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  const onChange = (now: TlsOptions) => server.setSecureContext(now);
  return watchTls(what, files, first, { clock, log, onChange }, signal);
}

function closedBy(server: Server | TlsServer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('close', () => resolve());
    const close = () => {
      server.close();
      server.closeAllConnections();
    };
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
  });
}
