import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { describeError } from '../model/error.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';

const retryMs = 5000;

/** Host and port out of `host:port` or `[IPv6]:port`. */
export function parseListen(listen: string): { readonly host: string; readonly port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}

/**
 * Serves an app until the signal is aborted. An address that is taken is said and tried again: a process that
 * keeps a service reachable does not end because somebody else has its port.
 */
export async function serve(
  what: string,
  app: Pick<Hono, 'fetch'>,
  listen: string,
  {
    clock,
    log,
    onListening,
  }: { readonly clock: Clock; readonly log: Log; readonly onListening?: (port: number) => void },
  signal: AbortSignal,
): Promise<void> {
  const streak = createStreak(log, `listening for ${what}`, { listen });
  while (!signal.aborted) {
    try {
      const server = await open(app, listen);
      streak.worked();
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      log.info({ listen, port }, `${what} listens`);
      onListening?.(port);
      await closedBy(server, signal);
      return;
    } catch (error) {
      streak.failed(describeError(error));
      await pause(clock, retryMs, undefined, signal);
    }
  }
}

function open(app: Pick<Hono, 'fetch'>, listen: string): Promise<Server> {
  const { host, port } = parseListen(listen);
  const answer = getRequestListener(app.fetch);
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5000 },
    (request, response) => void answer(request, response),
  );
  server.maxConnections = 500;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

function closedBy(server: Server, signal: AbortSignal): Promise<void> {
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
