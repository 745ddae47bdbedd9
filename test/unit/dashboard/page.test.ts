import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import { createPage } from '../../../src/dashboard/page.ts';
import { recordingView } from '../../fixtures/recording-view.ts';

describe('what hands out the dashboard', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hsdo-page-'));
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>hsdo</title>');
    writeFileSync(join(folder, 'assets', 'index-1.js'), 'export const a = 1;');
    writeFileSync(join(folder, 'secret.txt'), 'not a part of the page');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const { view } = recordingView();
  const get = (path: string, headers: Record<string, string> = {}) =>
    createApp(view, { page: createPage(folder) }).request(path, { headers });

  it('gives the page to anybody, always fresh, with a policy that lets nothing else in', async () => {
    const answer = await get('/');
    expect(await answer.text()).toContain('<title>hsdo</title>');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('gives what the page loads compressed, to be kept for ever', async () => {
    const answer = await get('/assets/index-1.js', { 'accept-encoding': 'br, gzip' });
    expect(gunzipSync(Buffer.from(await answer.arrayBuffer())).toString()).toBe('export const a = 1;');
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  });

  it('gives nothing else, wherever the path leads', async () => {
    for (const path of ['/secret.txt', '/assets/', '/assets/..%2fsecret.txt', '/assets/../secret.txt', '/index.html']) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
  });

  it('says how to build it where nobody has', async () => {
    const answer = await createApp(view, { page: createPage(join(folder, 'nowhere')) }).request('/');
    expect([answer.status, await answer.text()]).toEqual([503, 'The dashboard was not built: npm run build\n']);
  });
});
