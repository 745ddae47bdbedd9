import { TLSSocket } from 'node:tls';
import { type Context, Hono } from 'hono';
import type { Problem } from '../model/problem.ts';
import type { Secret } from '../model/secret.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createLock, type Refused, refused } from './access.ts';
import type { TlsFiles } from './certificate.ts';
import { type ServeOptions, serve } from './listen.ts';

/** The block `exporter` of a configuration, as far as it stands for as long as the process lives. */
export interface ExporterConfig {
  /** `host:port`. */
  readonly listen: string;
  readonly tls?: TlsFiles | undefined;
}

export interface ExporterParts {
  readonly metrics: Metrics;
  /** The token at this moment. Without any, metrics are told to everybody who gets at the address. */
  readonly token: () => Secret | undefined;
  /** What keeps the process from its work, of all its roles. */
  readonly problems: () => readonly Problem[];
}

/**
 * Serves the exporter until the signal is aborted. Neither token nor certificate keeps anybody from /healthz and /readyz:
 * container engines and load balancers that ask for health have none.
 */
export function serveExporter(
  config: ExporterConfig,
  parts: ExporterParts & Omit<ServeOptions, 'tls' | 'letsStrangersIn'>,
  signal: AbortSignal,
): Promise<void> {
  const { listen, tls } = config;
  return serve('the exporter', createExporter(config, parts), listen, { ...parts, tls, letsStrangersIn: true }, signal);
}

/**
 * The Prometheus exporter: the text format on /metrics, and on every other path as HSDO's exporter has it. But /healthz and
 * /readyz answer as the API does, since a client, an agent or a process for DNS alone may have no API.
 */
function createExporter({ tls }: ExporterConfig, { metrics, problems, token }: ExporterParts): Hono {
  const app = new Hono();
  const uncached = { 'cache-control': 'no-store' };
  const refusal = createRefusal(tls, token);
  app.get('/healthz', (context) => context.json({ status: 'ok' }, 200, uncached));
  app.get('/readyz', (context) => {
    const found = problems();
    const isReady = found.length === 0;
    return context.json({ status: isReady ? 'ready' : 'not ready', problems: found }, isReady ? 200 : 503, uncached);
  });
  app.use('*', async (context, next) => {
    const why = refusal(context);
    return why === undefined ? next() : context.json({ error: why.error }, why.code, { ...uncached, ...why.headers });
  });
  app.get('*', async (context) => {
    const text = await metrics.registry.metrics();
    return context.body(text, 200, { 'content-type': metrics.registry.contentType });
  });
  return app;
}

/** Why somebody is told nothing but health; `undefined` for whoever may read all. */
function createRefusal(
  tls: TlsFiles | undefined,
  token: () => Secret | undefined,
): (context: Context) => Refused | undefined {
  return (context) => {
    const now = token();
    const lock = now && createLock([{ token: now }]);
    if (tls?.ca !== undefined && !hasShownCertificate(context)) {
      return refused(403, 'expected a certificate that an authority in exporter.tls.ca has signed');
    }
    const key = lock?.({ header: (name) => context.req.header(name) });
    return key !== undefined && 'error' in key ? key : undefined;
  };
}

/**
 * Whether the connection came with a certificate that holds. OpenSSL has nothing to say against a TLS 1.3 session that is
 * taken up again, also where the first one came without a certificate: so it has to be there besides.
 */
function hasShownCertificate({ env }: Context): boolean {
  const { incoming } = env as { readonly incoming?: { readonly socket?: unknown } };
  const socket = incoming?.socket;
  return socket instanceof TLSSocket && socket.authorized && socket.getPeerX509Certificate() !== undefined;
}
