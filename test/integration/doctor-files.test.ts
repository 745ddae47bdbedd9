import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFinding } from '../../src/doctor/certificates.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { type Certificates, type KeyPair, makeCertificates } from '../fixtures/certificates.ts';
import { runCliHere } from '../fixtures/cli.ts';

let folder: string;
let certificates: Certificates;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-doctor-files-'));
  certificates = await makeCertificates();
});
afterAll(async () => {
  await certificates?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** What the doctor finds of one thing. */
async function examineWith(config: Readonly<Record<string, unknown>>, about: string, ...args: readonly string[]) {
  const file = join(folder, 'hsdo.yaml');
  await writeFile(file, JSON.stringify(config));
  const { stdout } = await runCliHere(['doctor', '--json', '--config', file, ...args]);
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
  return findings.filter((one) => one.about.startsWith(about));
}
const service = { name: 'web', source: { kind: 'static', targets: ['127.0.0.1:1'] } };
const examineServer = (more: object, about: string, ...args: readonly string[]) =>
  examineWith({ services: [service], stateDirectory: join(folder, 'state'), ...more }, about, ...args);

describe('hsdo doctor and certificates that hsdo shows', () => {
  const write = async (name: string, { key, cert }: KeyPair) => {
    const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
    return files;
  };

  it('says which are missing, do not fit their keys or have ended, at the API, the exporter and an agent', async () => {
    const good = await write('good', certificates.good);
    const ended = await write('ended', certificates.expired);
    const api = { listen: '127.0.0.1:0', tls: good };
    const found = await examineServer({ api, exporter: { listen: '127.0.0.1:0', tls: ended } }, 'certificate');
    expect(found).toMatchObject([
      // It holds for two days.
      {
        about: 'certificate of api.tls',
        state: 'warning',
        says: expect.stringMatching(/^it ends on \d{4}-\d\d-\d\d$/),
      },
      { about: 'certificate of exporter.tls', state: 'fault', says: expect.stringMatching(/^it ended on /) },
    ]);
    const mixed = { ...good, key: ended.key };
    expect(await examineServer({ exporter: { tls: mixed } }, 'certificate')).toMatchObject([
      { state: 'fault', says: expect.stringContaining(`Cannot use ${mixed.cert} with ${mixed.key}`) },
    ]);
    expect(await examineServer({ exporter: { listen: 'off', tls: mixed } }, 'certificate')).toEqual([]);
    const tls = { ...good, ca: join(folder, 'none.pem') };
    const agent = {
      agent_id: 'a',
      servers: [{ name: 'one', url: 'http://127.0.0.1:1' }],
      exporter: { listen: '127.0.0.1:0', tls },
    };
    expect(await examineWith(agent, 'certificate', '--agent')).toMatchObject([
      { state: 'fault', says: expect.stringContaining(`Cannot read ${tls.ca}`) },
    ]);
  });

  it('is content with one that holds for longer than two weeks', () => {
    const [validFrom, validTo] = ['Nov  1 00:00:00 2026 GMT', 'Feb  1 00:00:00 2027 GMT'];
    const at = (day: string) => certificateFinding('c', { validFrom, validTo }, Date.parse(day));
    expect(at('2026-11-21')).toEqual({ state: 'ok', about: 'c', says: 'fits its key, and holds until 2027-02-01' });
    expect([at('2027-01-20').state, at('2027-02-02').state, at('2026-10-31').state]).toEqual([
      'warning',
      'fault',
      'fault',
    ]);
  });
});

describe('hsdo doctor and executables of checks', () => {
  it('looks whether they can be started, and does not start them', async () => {
    const check = join(folder, 'check');
    const touched = join(folder, 'touched');
    await writeFile(check, `#!/bin/sh\ntouch ${touched}\n`);
    const services = [{ ...service, check: { kind: 'exec', check } }];
    expect(await examineServer({ services }, 'check')).toMatchObject([
      { state: 'fault', says: `check "${check}" is not executable for this user` },
    ]);
    await chmod(check, 0o755);
    expect(await examineServer({ services }, 'check')).toMatchObject([{ state: 'ok' }]);
    expect(await examineServer({ services }, 'check', '--client')).toEqual([]);
  });
});
