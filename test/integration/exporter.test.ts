import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExporterConfig, serveExporter } from '../../src/api/exporter.ts';
import { type Secret, secret } from '../../src/model/secret.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { systemClock } from '../../src/time/clock.ts';
import { startAgent } from '../fixtures/agent.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { describeWith } from '../fixtures/component.ts';
import { recordingLog } from '../fixtures/log.ts';
import { freePort } from '../fixtures/ports.ts';
import { startProgram } from '../fixtures/program.ts';
import { until } from '../fixtures/until.ts';

const token = randomUUID();
let certificates: Certificates;
let folder: string;
const stop = new AbortController();
const ended: Promise<void>[] = [];
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  certificates = await makeCertificates();
  folder = await mkdtemp(join(tmpdir(), 'hsdo-exporter-'));
  await writeFile(file('own.pem'), certificates.good.cert);
  await writeFile(file('own.key'), certificates.good.key);
});
afterAll(async () => {
  stop.abort();
  await Promise.all(ended);
  await certificates?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Serves an exporter and gives its port. */
async function listen({ token: own, ...config }: Omit<ExporterConfig, 'listen'> & { readonly token?: Secret }) {
  const log = recordingLog();
  const problems = () => [{ part: 'server', message: 'not yet' }];
  const parts = { metrics: createMetrics(), problems, token: () => own, clock: systemClock, log };
  const port = await new Promise<number>((onListening) => {
    ended.push(serveExporter({ listen: '127.0.0.1:0', ...config }, { ...parts, onListening }, stop.signal));
  });
  return { port, log };
}

const tlsFiles = () => ({ cert: file('own.pem'), key: file('own.key') });

/** Status and body of an answer over TLS. */
function ask(port: number, path: string, options: ConnectionOptions & { headers?: Record<string, string> } = {}) {
  return new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const own = {
      host: '127.0.0.1',
      port,
      path,
      ca: readFileSync(certificates.caFile),
      agent: false as const,
      ...options,
    };
    request(own, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (part: string) => (body += part));
      answer.on('end', () => resolve({ status: answer.statusCode, body }));
    })
      .once('error', reject)
      .end();
  });
}

/** A target as Prometheus tells of it. */
interface Scraped {
  readonly scrapePool: string;
  readonly health: string;
  readonly lastError: string;
}

describe('the exporter with a token', () => {
  it('tells metrics to whoever shows it, and health and readiness to everybody', async () => {
    const { port } = await listen({ token: secret(token) });
    const get = (path: string, authorization?: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, authorization === undefined ? {} : { headers: { authorization } });
    expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 503]);
    for (const path of ['/metrics', '/', '/healthz/', '/healthz%2f', '//healthz', '/readyz/../metrics']) {
      const refused = await get(path);
      expect([path, refused.status, refused.headers.get('www-authenticate')]).toEqual([
        path,
        401,
        'Bearer realm="hsdo"',
      ]);
      expect(await refused.json()).toEqual({ error: 'expected a token: Authorization: Bearer TOKEN' });
    }
    for (const wrong of [`Bearer ${token.slice(0, -1)}`, `Bearer ${token}x`, 'Bearer ', `Basic ${token}`]) {
      const refused = await get('/metrics', wrong);
      expect([wrong, refused.status]).toEqual([wrong, 401]);
      expect(await refused.text()).not.toContain('hsdo_');
    }
    const allowed = await get('/metrics', `Bearer ${token}`);
    expect(allowed.status).toBe(200);
    expect(await allowed.text()).toContain('# TYPE hsdo_leader gauge');
  });

  it('is open without one, as it always was', async () => {
    const { port } = await listen({});
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
  });
});

describe('the exporter of an agent', () => {
  it('has its token from the file of the agent', async () => {
    const servers = [{ name: 'one', url: `http://127.0.0.1:${await freePort()}` }];
    const agent = await startAgent('locked', { servers, exporter: { token } });
    try {
      const get = (path: string, headers = {}) => fetch(`${agent.exporter}${path}`, { headers });
      expect((await get('/healthz')).status).toBe(200);
      expect((await get('/metrics')).status).toBe(401);
      expect((await get('/metrics', { authorization: `Bearer ${token}` })).status).toBe(200);
      expect(agent.log()).not.toContain(token);
    } finally {
      await agent.remove();
    }
  });
});

describe('the exporter under TLS', () => {
  it('answers by its certificate, which is renewed while it serves', async () => {
    const tls = { cert: file('renewed.pem'), key: file('renewed.key') };
    await writeFile(tls.cert, certificates.good.cert);
    await writeFile(tls.key, certificates.good.key);
    const { port, log } = await listen({ tls, token: secret(token) });
    const authorization = `Bearer ${token}`;
    expect((await ask(port, '/metrics', { headers: { authorization } })).status).toBe(200);
    expect((await ask(port, '/metrics')).status).toBe(401);
    expect((await ask(port, '/healthz')).status).toBe(200);
    await expect(ask(port, '/healthz', { ca: [] })).rejects.toThrow(/certificate|issuer/);
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow('fetch failed');
    await writeFile(tls.key, certificates.selfSigned.key);
    await writeFile(tls.cert, certificates.selfSigned.cert);
    await until('the new one is shown', () =>
      ask(port, '/healthz').then(
        () => false,
        () => true,
      ),
    );
    expect(log.lines.at(-1)?.message).toBe('the exporter has a new certificate');
  });

  it('demands a certificate of its authority for metrics, and none for health', async () => {
    const { port } = await listen({ tls: { ...tlsFiles(), ca: certificates.caFile } });
    for (const own of [{}, certificates.selfSigned, certificates.expired]) {
      expect((await ask(port, '/healthz', own)).status).toBe(200);
      expect((await ask(port, '/readyz', own)).status).toBe(503);
      const refused = await ask(port, '/metrics', own);
      expect([refused.status, refused.body]).toEqual([403, expect.stringContaining('exporter.tls.ca')]);
    }
    expect((await ask(port, '/metrics', certificates.good)).body).toContain('hsdo_leader');
  });

  it('is not fooled by a session that was begun without a certificate and is taken up again', async () => {
    const { port } = await listen({ tls: { ...tlsFiles(), ca: certificates.caFile } });
    const say = (socket: TLSSocket, path: string) =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    const open = (session?: Buffer) =>
      connect({ host: '127.0.0.1', port, ca: readFileSync(certificates.caFile), session });
    for (const path of ['/healthz', '/metrics']) {
      const first = open();
      const session = await new Promise<Buffer>((resolve, reject) => {
        first
          .once('session', resolve)
          .once('error', reject)
          .once('secureConnect', () => say(first, path));
      });
      first.destroy();
      const second = open(session);
      const answer = await new Promise<string>((resolve, reject) => {
        let text = '';
        second.once('error', reject).once('secureConnect', () => {
          expect(second.isSessionReused()).toBe(true);
          say(second, '/metrics');
        });
        second.on('data', (part: Buffer) => (text += part.toString())).once('close', () => resolve(text));
      });
      expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 403 Forbidden');
    }
  });
});

describeWith(['prometheus'], 'by the words of Prometheus', () => {
  it('is scraped with token and certificate, and not without the token', async () => {
    const { port } = await listen({ token: secret(token), tls: { ...tlsFiles(), ca: certificates.caFile } });
    const [web, data] = [await freePort(), file('prometheus')];
    await writeFile(file('token'), `${token}\n`);
    const job = {
      scrape_interval: '200ms',
      scrape_timeout: '200ms',
      scheme: 'https',
      tls_config: { ca_file: certificates.caFile, cert_file: file('own.pem'), key_file: file('own.key') },
      static_configs: [{ targets: [`127.0.0.1:${port}`] }],
    };
    const config = {
      scrape_configs: [
        { ...job, job_name: 'with', authorization: { credentials_file: file('token') } },
        { ...job, job_name: 'without' },
      ],
    };
    await writeFile(file('prometheus.yml'), JSON.stringify(config));
    const listening = `--web.listen-address=127.0.0.1:${web}`;
    const program = startProgram('prometheus', [
      `--config.file=${file('prometheus.yml')}`,
      `--storage.tsdb.path=${data}`,
      listening,
    ]);
    try {
      // What takes longer than Prometheus waits on a busy machine is asked again.
      await until('the one with the token is scraped, and the other one refused', async () => {
        const answer = await fetch(`http://127.0.0.1:${web}/api/v1/targets`);
        const { data } = (await answer.json()) as { data: { activeTargets: readonly Scraped[] } };
        const of = (job: string) => data.activeTargets.find(({ scrapePool }) => scrapePool === job);
        expect(of('with')).toMatchObject({ health: 'up' });
        expect(of('without')).toMatchObject({ health: 'down', lastError: expect.stringContaining('401') });
        return true;
      });
    } finally {
      await program.stop();
    }
  });
});
