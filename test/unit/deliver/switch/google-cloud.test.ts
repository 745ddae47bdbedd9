import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createGoogleCloudSwitcher, googleCloudSchema } from '../../../../src/deliver/switch/google-cloud.ts';
import { createGoogleToken } from '../../../../src/deliver/switch/google-cloud-token.ts';
import { systemClock } from '../../../../src/time/clock.ts';
import { type GoogleMetadata, startGoogleMetadata } from '../../../fixtures/google-metadata.ts';

const one = { name: 'ep-1', address: '192.0.2.1' };
const two = { name: 'ep-2', address: '192.0.2.2' };
const never = new AbortController().signal;
let folder = '';
let google: GoogleMetadata;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hsdo-google-'));
  google = await startGoogleMetadata();
  writeFileSync(join(folder, 'key.json'), google.keyFile());
});
afterEach(async () => {
  await google.stop();
  rmSync(folder, { recursive: true, force: true });
});

const create = (options: object = {}) =>
  createGoogleCloudSwitcher(
    googleCloudSchema.parse({
      kind: 'google-cloud',
      project: google.project,
      metadataKey: 'active',
      credentialsPath: 'key.json',
      baseUrl: google.baseUrl,
      ...options,
    }),
    { service: 'web', clock: systemClock, baseFolder: folder },
  );
const textAt = (key: string) => google.items().find((item) => item.key === key)?.value;
const called = (path: string) => google.requests.filter(({ url }) => url.endsWith(path)).length;

describe('the switcher "google-cloud"', () => {
  it('writes the address under its key, is done when the operation is, and keeps all other keys', async () => {
    const switcher = create();
    expect(await switcher.current(never)).toBeUndefined();
    await switcher.switchTo(one, never);
    expect(textAt('active')).toBe('192.0.2.1');
    expect(await switcher.current(never)).toBe('192.0.2.1');
    expect(textAt('ssh-keys')).toBe('root:ssh-rsa AAAA');
    await switcher.switchTo(one, never);
    // Once was enough; and one token for all of it.
    expect([called('/setCommonInstanceMetadata'), called('/wait'), called('/token')]).toEqual([1, 2, 1]);
  });

  it('writes the name where that is wanted', async () => {
    await create({ value: 'name' }).switchTo(two, never);
    expect(textAt('active')).toBe('ep-2');
  });

  it('reads again when somebody else was faster, and undoes nothing of theirs', async () => {
    let others = 0;
    google.onRequest = ({ url }) => {
      if (!url.endsWith('/setCommonInstanceMetadata') || others >= 3) return;
      others += 1;
      google.write(`other-${others}`, 'kept');
    };
    await create().switchTo(one, never);
    expect(google.items().map(({ key }) => key)).toEqual(['ssh-keys', 'other-1', 'other-2', 'other-3', 'active']);
    google.onRequest = ({ url }) =>
      void (url.endsWith('/setCommonInstanceMetadata') && google.write('busy', `${Math.random()}`));
    await expect(create().switchTo(two, never)).rejects.toMatchObject({ code: 'unavailable' });
    expect(textAt('active')).toBe('192.0.2.1');
  });

  it('does not take an operation for done that failed', async () => {
    google.failNext({ httpErrorStatusCode: 503, code: 'RESOURCE_NOT_READY' });
    await expect(create().switchTo(one, never)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the operation failed (RESOURCE_NOT_READY It failed.)'),
    });
    google.failNext({ httpErrorStatusCode: 400, code: 'INVALID' });
    await expect(create().switchTo(one, never)).rejects.toMatchObject({ code: 'rejected' });
    google.failNext({ httpErrorStatusCode: 412, code: 'CONDITION_NOT_MET' });
    await create().switchTo(one, never);
    expect(textAt('active')).toBe('192.0.2.1');
  });

  it('tells limits and outages from refusals', async () => {
    const switcher = create();
    await switcher.current(never);
    const refusal = (reason: string) => ({ error: { message: 'No.', errors: [{ reason }] } });
    google.answerNext(429, refusal('rateLimitExceeded'), { 'retry-after': '9' });
    await expect(switcher.current(never)).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 9000 });
    google.answerNext(403, refusal('rateLimitExceeded'));
    await expect(switcher.current(never)).rejects.toMatchObject({ code: 'unavailable' });
    google.answerNext(403, refusal('forbidden'));
    await expect(switcher.current(never)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('needs compute.projects.get and compute.projects.setCommonInstanceMetadata'),
    });
    google.answerNext(401, refusal('authError'));
    await expect(switcher.current(never)).rejects.toMatchObject({ code: 'rejected' });
    // What was refused is not shown again.
    await switcher.current(never);
    expect(called('/token')).toBe(2);
    await expect(create({ project: 'other' }).current(never)).rejects.toMatchObject({ code: 'rejected' });
  });

  it('says what is wrong with the credentials, and shows nothing of them', async () => {
    await expect(create({ credentialsPath: 'gone.json' }).current(never)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('gone.json'),
    });
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(
      join(folder, 'key.json'),
      google.keyFile({ private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) }),
    );
    const error: unknown = await create()
      .current(never)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'rejected', message: expect.stringContaining('Invalid JWT Signature') });
    expect((error as Error).cause).toBeUndefined();
    writeFileSync(join(folder, 'key.json'), google.keyFile({ token_uri: 'http://tokens.example.org/' }));
    await expect(create().current(never)).rejects.toMatchObject({ message: expect.stringContaining('expected https') });
  });

  it('has the token of the machine from its metadata server, and runs no gcloud for that', async () => {
    const gcloud = join(folder, 'gcloud');
    writeFileSync(gcloud, `#!/bin/sh\ntouch ${join(folder, 'was-run')}\n`, { mode: 0o755 });
    google.write('active', '192.0.2.1');
    vi.stubEnv('GCE_METADATA_HOST', new URL(google.baseUrl).host);
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined);
    vi.stubEnv('HOME', folder);
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
    try {
      expect(await create({ credentialsPath: undefined }).current(never)).toBe('192.0.2.1');
    } finally {
      vi.unstubAllEnvs();
    }
    expect(existsSync(join(folder, 'was-run'))).toBe(false);
    expect(called('/computeMetadata/v1/project/project-id')).toBe(0);
  });

  it('names the package that it needs where that is missing', async () => {
    const load = () => Promise.reject(new Error('Cannot find package'));
    await expect(createGoogleToken({ project: 'shop-1', baseFolder: '.' }, load).read()).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('npm install google-auth-library'),
    });
  });
});
