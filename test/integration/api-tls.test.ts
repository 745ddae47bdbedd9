import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/api/app.ts';
import { serve } from '../../src/api/listen.ts';
import { secret } from '../../src/model/secret.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { runCliHere } from '../fixtures/cli.ts';
import { recordingLog } from '../fixtures/log.ts';
import { recordingView } from '../fixtures/recording-view.ts';
import { until } from '../fixtures/until.ts';

const token = randomUUID();

describe('the API under TLS', () => {
  let certificates: Certificates;
  let folder: string;
  const stop = new AbortController();
  const ended: Promise<void>[] = [];
  const file = (name: string) => join(folder, name);

  /** Serves with `NAME.pem` and `NAME.key` and gives the port. */
  async function listen(name: string, withCa: boolean) {
    const log = recordingLog();
    const tokens = [{ name: 'ann', role: 'operate', token: secret(token) }] as const;
    const app = createApp(recordingView().view, { tokens });
    const tls = { cert: file(`${name}.pem`), key: file(`${name}.key`), ...(withCa ? { ca: certificates.caFile } : {}) };
    const port = await new Promise<number>((resolve) => {
      ended.push(
        serve('the API', app, '127.0.0.1:0', { clock: systemClock, log, tls, onListening: resolve }, stop.signal),
      );
    });
    return { port, log };
  }
  const write = async (name: string, { key, cert }: { key: string; cert: string }) => {
    await writeFile(file(`${name}.pem`), cert);
    await writeFile(file(`${name}.key`), key);
  };
  const ask = (port: number, ...args: string[]) =>
    runCliHere(['--api', `https://127.0.0.1:${port}`, '--token', token, ...args, 'services']);

  /** The certificate that a new connection is shown. */
  const shown = (port: number) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca: [], rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
        socket.end();
      });
      socket.once('error', reject);
    });

  beforeAll(async () => {
    certificates = await makeCertificates();
    folder = await mkdtemp(join(tmpdir(), 'hsdo-api-tls-'));
  });
  afterAll(async () => {
    stop.abort();
    await Promise.all(ended);
    await certificates?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('is asked by whoever trusts its authority, and renews its certificate while it serves', async () => {
    await write('own', certificates.good);
    const { port, log } = await listen('own', false);
    expect(await ask(port, '--ca', certificates.caFile)).toMatchObject({ code: 0, stderr: '' });
    const distrusted = await ask(port);
    expect([distrusted.code, distrusted.stdout]).toEqual([1, '']);
    expect(distrusted.stderr).toMatch(/Cannot ask hsdo at https:.*(certificate|issuer)/);
    const plain = await runCliHere(['--api', `http://127.0.0.1:${port}`, 'services']);
    expect(plain.code).toBe(1);

    const before = await shown(port);
    // Half of a renewal: the key does not belong to the certificate yet.
    await writeFile(file('own.key'), certificates.selfSigned.key);
    await until('it is said', () => log.lines.some(({ level }) => level === 'warn' || level === 'error'));
    expect(await shown(port)).toBe(before);
    await writeFile(file('own.pem'), certificates.selfSigned.cert);
    await until('the new one is shown', async () => (await shown(port)) !== before);
  });

  it('lets nobody in without a certificate of its own authority, where it has one', async () => {
    await write('mutual', certificates.good);
    const { port } = await listen('mutual', true);
    expect((await ask(port, '--ca', certificates.caFile)).code).toBe(1);
    const trusted = await ask(
      port,
      '--ca',
      certificates.caFile,
      '--cert',
      file('mutual.pem'),
      '--key',
      file('mutual.key'),
    );
    expect(trusted).toMatchObject({ code: 0, stderr: '' });
    const unreadable = await ask(port, '--ca', file('nosuch.pem'));
    expect(unreadable.code).toBe(2);
  });
});
